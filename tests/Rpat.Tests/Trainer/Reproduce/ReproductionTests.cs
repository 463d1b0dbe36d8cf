using Rpat.Trainer.Reproduce;

namespace Rpat.Tests.Trainer.Reproduce;

/// <summary><c>rpat reproduce</c> from its command line, on runs of two steps.</summary>
public sealed class ReproductionTests : IDisposable
{
    private readonly TestHost _test = new();

    private string Folder => _test.PathOf("out");

    public void Dispose() => _test.Dispose();

    [Fact]
    public void Runs_are_trained_measured_kept_and_not_done_again()
    {
        Assert.Equal(0, Reproduce("--methods", "pgd-at,pgd-at+rpat", "--seeds", "1,2"));
        string first = _test.Out;
        Assert.Contains("| pgd-at+rpat | 2 ", first);
        Assert.Contains("pgd3, linf eps 6/255", first);
        Assert.Matches(@"^\| method +\| runs +\| Clean +\| PGD-3 +\| Mean ", first);
        Assert.Equal(4, Directory.GetDirectories(Folder).Length);
        string[] files = [.. Directory.GetFiles(Folder, "*", SearchOption.AllDirectories)
            .Where(f => !Path.GetFileName(f).StartsWith("table", StringComparison.Ordinal))];
        var times = files.Select(File.GetLastWriteTimeUtc).ToList();
        using var again = new TestHost();
        Assert.Equal(0, again.Run([.. Arguments("--methods", "pgd-at,pgd-at+rpat", "--seeds", "1,2"), "--resume"]));
        Assert.Equal(first, again.Out);
        Assert.Equal(times, files.Select(File.GetLastWriteTimeUtc));
        using var json = JsonDocument.Parse(File.ReadAllText(Path.Combine(Folder, "table.json")));
        Assert.Equal(2, json.RootElement[0].GetProperty("runs").GetArrayLength());
        Assert.StartsWith("| method", File.ReadAllText(Path.Combine(Folder, "table.md")));
    }

    [Fact]
    public void A_folder_is_not_written_over_and_not_mixed()
    {
        Assert.Equal(0, Reproduce("--methods", "pgd-at"));
        Assert.Equal(2, Reproduce("--methods", "pgd-at"));
        Assert.Contains("resume it with --resume", _test.Error);
        Assert.Equal(2, Reproduce("--methods", "pgd-at", "--resume", "--set", "optimizer.lr=0.2"));
        Assert.Contains("with other --set values", _test.Error);
    }

    [Fact]
    public void A_method_that_fails_is_told_and_the_others_go_on()
    {
        Directory.CreateDirectory(Folder);
        Directory.CreateDirectory(Path.Combine(Folder, "fashion-pgd-at-quick-s1"));
        File.WriteAllText(Path.Combine(Folder, "fashion-pgd-at-quick-s1", "pgd3-n4"), "in the way of the evaluation's folder");
        Assert.NotEqual(0, Reproduce("--methods", "pgd-at,pgd-at+rpat"));
        Assert.Contains("| failed: ", _test.Out);
        Assert.Matches(@"\| pgd-at\+rpat +\| \d", _test.Out);
    }

    [Fact]
    public void A_failure_has_the_exit_code_of_what_failed()
    {
        Assert.Equal(ExitCode.Data, _test.Run("reproduce", "--scale", "paper", "--methods", "pgd-at", "--data-dir", _test.PathOf("none"),
            "--out", Folder));
        Assert.Contains("| failed: CIFAR-10 is not complete", _test.Out);
    }

    [Fact]
    public void A_training_that_a_signal_stops_has_not_failed()
    {
        var plan = new ReproducePlan("quick", ReproducePlan.Quick("pgd-at"), [1], Folder, "aa", 4, [], null, "cpu", 1);
        Assert.Equal(130, new Reproduction(plan, _test.Host, (_, _) => 130).Run());
        Assert.Contains("training stopped after", _test.Error);
        Assert.Matches(@"\| pgd-at +\| not done +\|", File.ReadAllText(Path.Combine(Folder, "table.md")));
    }

    [Theory]
    [InlineData("--methods pgd-a", "did you mean 'pgd-at'?")]
    [InlineData("--methods ,", "names nothing")]
    [InlineData("--scale tiny", "use quick or paper")]
    [InlineData("--seeds one", "whole numbers")]
    [InlineData("--attack clean", "--attack is 'clean'")]
    [InlineData("--scale paper --data mnist", "no recipe begins with 'mnist-")]
    public void What_cannot_be_is_refused_before_anything_is_made(string arguments, string sentence)
    {
        Assert.Equal(2, _test.Run(["reproduce", "--out", Folder, .. arguments.Split(' ')]));
        Assert.Contains(sentence, _test.Error);
        Assert.False(Directory.Exists(Folder));
    }

    [Fact]
    public void The_four_columns_have_the_intervals_of_their_shares()
    {
        ReproduceScore score = new(400, 320, 200, "aa", "linf eps 8/255");
        var (clean, aa, mean, nrr) = (score.Columns[0], score.Columns[1], score.Columns[2], score.Columns[3]);
        Assert.Equal((0.8, 0.5, 0.65, 2 * 0.8 * 0.5 / 1.3), (clean.Value, aa.Value, mean.Value, Math.Round(nrr.Value, 12)), Close);
        // Wilson's intervals at 97.5 %, from their formula: 0.75157451 to 0.84098313 of 320, 0.44431354 to 0.55568646 of 200.
        Assert.Equal((0.75157451 + 0.44431354) / 2, mean.Low, 1e-6);
        Assert.Equal((0.84098313 + 0.55568646) / 2, mean.High, 1e-6);
        Assert.Equal(2 * 0.75157451 * 0.44431354 / (0.75157451 + 0.44431354), nrr.Low, 1e-6);
        Assert.Equal(2 * 0.84098313 * 0.55568646 / (0.84098313 + 0.55568646), nrr.High, 1e-6);
    }

    private int Reproduce(params string[] arguments) => _test.Run(Arguments(arguments));

    private string[] Arguments(params string[] arguments) =>
    [
        "reproduce", "--out", Folder, "--n", "4", "--attack", "pgd3", "--set", "train.max_steps=1", "--set", "train.batch=4", "--set",
        "model.width=4",
        "--set", "attack.eps=6/255", "--set", "eval.n=4", "--set", "eval.attacks=clean", "--threads", "1", .. arguments,
    ];

    private static bool Close((double, double, double, double) a, (double, double, double, double) b) =>
        Math.Abs(a.Item1 - b.Item1) + Math.Abs(a.Item2 - b.Item2) + Math.Abs(a.Item3 - b.Item3) + Math.Abs(a.Item4 - b.Item4) < 1e-9;
}
