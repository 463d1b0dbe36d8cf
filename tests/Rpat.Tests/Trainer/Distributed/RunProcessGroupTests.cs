using Rpat.Tests.Distributed;
using Rpat.Tests.Robust;
using Rpat.Trainer.Distributed;

namespace Rpat.Tests.Trainer.Distributed;

/// <summary>What the processes of a run do together besides steps, with threads for processes.</summary>
public sealed class RunProcessGroupTests
{
    [Theory]
    [InlineData(2, 3)]
    [InlineData(3, 2)]
    [InlineData(3, 100)]
    public void A_divided_evaluation_counts_as_one_process_does(int size, int batch)
    {
        var images = Images(17);
        foreach (var attack in new[] { null, AttackCatalog.Find("pgd2", Norm.Linf, 8 / 255.0, 5) })
        {
            var counted = Team.Run(size, team => Measure(images, batch, attack, new RunProcessGroup(team)));
            var alone = Measure(images, batch, attack, new RunProcessGroup());
            Assert.All(counted, accuracy => Assert.Equal(alone, accuracy));
        }
    }

    [Theory]
    [InlineData("a", "m", "t", null)]
    [InlineData("b", "m", "t", "training images")]
    [InlineData("a", "n", "t", "images of data.aux")]
    [InlineData("a", "m", "u", "networks of method.teachers")]
    [InlineData("a", null, null, null)]
    public void RanksCompareWhatTheyRead(string data, string? more, string? teachers, string? difference) => Assert.Equal(difference,
        new RunIdentity("a", "1", "cpu", "m", "t").Difference(new RunIdentity(data, "2", "gpu", more, teachers)));

    [Fact]
    public void A_stop_that_one_is_asked_for_is_the_stop_of_all_from_the_same_step_on()
    {
        var codes = Team.Run(3, team =>
        {
            using var stop = new StopRequest();
            var run = new RunProcessGroup(team, stop);
            var seen = new List<bool>();
            for (int step = 0; step < 4; step++)
            {
                if (team.Rank == 2 && step == 2) stop.Ask(143);
                Assert.False(run.IsStopping);
                seen.Add(run.Stops());
                if (run.IsStopping) break;
            }
            return (string.Join(' ', seen), run.Code, team.Rank > 0 || stop.Code == 143);
        });
        Assert.All(codes, code => Assert.Equal(("False False True", 143, true), code));
    }

    [Fact]
    public void An_evaluation_is_stopped_in_all_at_once()
    {
        var images = Images(12);
        var stopped = Team.Run(2, team =>
        {
            using var stop = new StopRequest();
            if (team.Rank == 1) stop.Ask(130);
            using var device = Device.Cpu(1);
            var evaluator = new Evaluator(TestNets.Small(device), 2);
            return Team.Try(() => new RunProcessGroup(team, stop).Evaluate(evaluator, images, null, 0)) is OperationCanceledException;
        });
        Assert.All(stopped, Assert.True);
    }

    private static Accuracy Measure(LabeledImages images, int batch, AttackSuite? attack, RunProcessGroup team)
    {
        using var device = Device.Cpu(1);
        return team.Evaluate(new Evaluator(TestNets.Disturbed(device), batch), images, attack, seed: 3);
    }

    private static LabeledImages Images(int n)
    {
        byte[] pixels = Array.ConvertAll(TestNets.Images(n, seed: 4), value => (byte)(255 * value));
        return new LabeledImages("made", TestNets.Image.C, TestNets.Image.H, TestNets.Image.W, pixels, TestNets.ClassesOf(n),
            ["a", "b", "c", "d", "e"]);
    }
}
