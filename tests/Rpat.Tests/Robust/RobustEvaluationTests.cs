using Rpat.Engine;
using Rpat.Engine.IO;
using Rpat.Robust;
using Rpat.Tests.Robust.Attacks;

namespace Rpat.Tests.Robust;

/// <summary>The evaluation: ledger, resumption, verification, reuse between radii (attacks.md 5.3; P13, P14, P15).</summary>
public sealed class RobustEvaluationTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("rpat-eval-").FullName;
    private readonly Device _device = Device.Cpu(1);
    private readonly Fixture _m;

    public RobustEvaluationTests() => _m = Fixture.M(_device);

    public void Dispose()
    {
        _device.Dispose();
        Directory.Delete(_root, recursive: true);
    }

    [Fact]
    public void Whatever_moment_it_was_killed_at_a_resumed_evaluation_ends_the_same()
    {
        string whole = Evaluate("whole");
        byte[] journal = File.ReadAllBytes(Path.Combine(whole, "journal.jsonl"));
        Random random = new(1);
        for (int kill = 0; kill < 20; kill++)
        {
            // A killed process leaves some bytes of its journal, perhaps half a line, and images up to one further.
            string cut = Copy(whole, $"cut{kill}", ["ledger.jsonl", "result.json", "journal.jsonl"]);
            File.WriteAllBytes(Path.Combine(cut, "journal.jsonl"), journal[..random.Next(journal.Length)]);
            Evaluate(cut, resume: true);
            AssertSame(whole, cut);
        }
    }

    [Fact]
    public void An_evaluation_that_throws_in_between_goes_on_where_it_was()
    {
        string whole = Evaluate("uncut"), broken = Path.Combine(_root, "broken");
        for (int ticks = 3; !File.Exists(Path.Combine(broken, "result.json")); ticks += 40)
        {
            int left = ticks;
            var evaluation = Evaluation(broken);
            evaluation.Progress = _ =>
            {
                if (--left == 0) throw new OperationCanceledException();
            };
            try
            {
                evaluation.Run(resume: true);
            }
            catch (OperationCanceledException)
            {
                // As a user's Ctrl-C does.
            }
        }
        AssertSame(whole, broken);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    public void The_batch_size_changes_nothing(int batch) => AssertSame(Evaluate("wide"), Evaluate($"batch{batch}", batch: batch));

    [Fact]
    public void Every_counted_example_can_be_verified_and_a_changed_one_is_found()
    {
        string folder = Evaluate("sound");
        var sound = Verification.Run(folder, _m.Net, "net");
        Assert.Empty(sound.Problems);
        Assert.True(sound.Examples > 10);
        string file = Path.Combine(folder, "adversarial-1-small.npy");
        byte[] bytes = File.ReadAllBytes(file);
        var victim = Ledger.Read(folder).First(e => e is { Eps: 1, Suite: "small", Fooled: true });
        int at = bytes.Length - (16 - victim.Sample) * 192 * 4;
        BitConverter.GetBytes(1f).CopyTo(bytes, at);
        File.WriteAllBytes(file, bytes);
        var problems = Verification.Run(folder, _m.Net, "net").Problems;
        Assert.Contains(problems, p => p.Contains($"image {victim.Sample} in small") && p.Contains("not the one in the ledger"));
        Assert.Contains(problems, p => p.Contains("outside ball or box"));
        Assert.Contains("SHA-256", Verification.Run(folder, _m.Net, "another").Problems[0]);
    }

    [Fact]
    public void Larger_radii_take_over_what_smaller_ones_broke()
    {
        string folder = Evaluate("radii");
        var ledger = Ledger.Read(folder);
        HashSet<int> Broken(int eps) => [.. ledger.Where(e => e.Eps == eps && e is { Suite: "small", Fooled: true }).Select(e => e.Sample)];
        Assert.Subset(Broken(1), Broken(0));
        Assert.Contains(ledger, e => e.Attack == "reused");
        Assert.True(Broken(0).Count < Broken(1).Count);
    }

    [Fact]
    public void The_whole_box_leaves_nothing_robust()
    {
        var outcomes = _m.Attack(Apgd.Targeted with { Eps = 1 });
        Assert.All(outcomes, o => Assert.True(o.Fooled));
    }

    [Fact]
    public void The_suite_is_as_strong_as_the_strongest_of_its_attacks()
    {
        var report = Evaluation(Path.Combine(_root, "strong")).Run(resume: false);
        foreach (var column in report.Columns)
            Assert.Equal(column.Stages.Select(s => s.Robust).OrderDescending(), column.Stages.Select(s => s.Robust));
        var attacks = Plan(64).SuitesAt(0.02).Single(s => s.Name == "small").Attacks;
        int strongest = attacks.Min(a => _m.Attack(a).Count(o => !o.Fooled));
        Assert.True(report.Columns.Single(c => c is { Eps: 1, Suite: "small" }).Robust <= strongest);
    }

    [Fact]
    public void A_folder_with_another_evaluation_is_left_alone()
    {
        string folder = Evaluate("taken");
        Assert.Contains("--resume", Assert.Throws<DataException>(() => Evaluation(folder).Run(resume: false)).Message);
        var other = new RobustEvaluation(_m.Net, Plan(64) with { Seed = 9 }, _m.Images, _m.Labels, folder, Fixture.Image);
        Assert.Contains("not with 'seed 9'", Assert.Throws<DataException>(() => other.Run(resume: true)).Message);
        float[] changed = [.. _m.Images];
        changed[0] = 0.5f;
        var data = new RobustEvaluation(_m.Net, Plan(64), changed, _m.Labels, folder, Fixture.Image);
        Assert.Contains("not with 'data ", Assert.Throws<DataException>(() => data.Run(resume: true)).Message);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-0.1)]
    [InlineData(1.5)]
    [InlineData(double.NaN)]
    public void A_radius_that_is_none_is_refused(double eps)
    {
        var plan = Plan(8) with { Radii = [new Radius("x", eps)] };
        Assert.Contains("must lie in (0, 1]", Assert.Throws<ArgumentException>(() => new RobustEvaluation(_m.Net, plan, _m.Images, _m.Labels, _root)).Message);
    }

    [Theory]
    [InlineData(50, 100, 0.4038, 0.5962)]
    [InlineData(0, 20, 0, 0.1611)]
    [InlineData(500, 1000, 0.4691, 0.5309)]
    [InlineData(5000, 10000, 0.4902, 0.5098)]
    public void Intervals_are_Wilsons(int count, int all, double low, double high)
    {
        var interval = WilsonInterval.Of(count, all);
        Assert.Equal(low, interval.Low, 1e-4);
        Assert.Equal(high, interval.High, 1e-4);
    }

    [Fact]
    public void The_leaderboards_file_has_its_keys_and_only_takes_the_standard_version()
    {
        EvaluationReport report = new(10_000, 8512, [new(0, "aa", "aa-standard", 4973, []), new(0, "aa2", "aa-standard(K=5, adapted)", 1, [])], [], []);
        var plan = Plan(8) with { Radii = [new Radius("8/255", 8 / 255.0)] };
        string json = RobustBenchInfo.Of(report, plan, "Me2026Net", "cifar10", "preactresnet18")!.ToJson();
        foreach (string part in new[] { "\"eps\": \"8/255\"", "\"clean_acc\": \"85.12\"", "\"autoattack_acc\": \"49.73\"", "\"unreliable\": false", "\"footnote\": null" })
            Assert.Contains(part, json);
        Assert.Null(RobustBenchInfo.Of(report with { Columns = [report.Columns[1]] }, plan, "a", "b", "c"));
    }

    private string Evaluate(string name, bool resume = false, int batch = 64)
    {
        string folder = Path.Combine(_root, name);
        Evaluation(folder, batch).Run(resume);
        return folder;
    }

    private RobustEvaluation Evaluation(string folder, int batch = 64) => new(_m.Net, Plan(batch), _m.Images, _m.Labels, folder, Fixture.Image) { SkipSelfTest = true };

    private static EvaluationPlan Plan(int batch) => new()
    {
        Norm = Norm.Linf,
        Radii = [new("0.01", 0.01), new("0.02", 0.02)],
        Batch = batch,
        Model = "net",
        ModelHash = "net",
        Data = "M",
        SuitesAt = eps =>
        [
            AttackSuite.Of("pgd5", new PgdAttack { Eps = eps, StepSize = eps / 3, Steps = 5 }),
            new AttackSuite("small", "small", [Apgd.CrossEntropy with { Eps = eps, Steps = 8 }, Apgd.Targeted with { Eps = eps, Steps = 8, Targets = 3 },
                Fab.Targeted with { Eps = eps, Steps = 5, Targets = 2 }, new Square { Eps = eps, Steps = 20 }]),
        ],
    };

    private string Copy(string folder, string name, string[] without)
    {
        string copy = Directory.CreateDirectory(Path.Combine(_root, name)).FullName;
        foreach (string file in Directory.GetFiles(folder))
            if (!without.Contains(Path.GetFileName(file))) File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
        return copy;
    }

    private static void AssertSame(string one, string other)
    {
        foreach (string file in Directory.GetFiles(one).Select(f => Path.GetFileName(f)!).Where(f => f != "journal.jsonl"))
            Assert.True(File.ReadAllBytes(Path.Combine(one, file)).SequenceEqual(File.ReadAllBytes(Path.Combine(other, file))), $"{file} differs");
    }
}
