using Rpat.Tests.Trainer.Runs;
using Rpat.Tests.Trainer.Training;

namespace Rpat.Tests.Trainer.Cli;

public sealed class RunsCommandTests : IDisposable
{
    private readonly TestHost _test = new();

    public void Dispose() => _test.Dispose();

    [Fact]
    public void RunsAreListedAndShown()
    {
        Train("--name", "one");
        Train("--name", "two", "--no-rpat");
        string[] lines = Runs("list").TrimEnd().Split('\n');
        Assert.Equal(3, lines.Length);
        Assert.Matches(@"^20261121-0238-one +finished +pgd-at\+rpat +npz:.* +\d+\.\d\d +\d+\.\d\d +PGD-2 +", lines[1]);
        Assert.Matches("^20261121-0238-two +finished +pgd-at  ", lines[2]);
        string shown = Runs("show", "20261121-0238-one");
        Assert.Contains("status    finished", shown, StringComparison.Ordinal);
        Assert.Contains("as: rpat train --recipe fashion-quick", shown, StringComparison.Ordinal);
        Assert.Matches(@"accuracy  \d+\.\d\d \(.* to .*\) Clean", shown);
    }

    [Fact]
    public void EqualRunsAreSaidToBeEqualAndOthersWhereTheyPart()
    {
        Train("--name", "one");
        Train("--name", "two", "--threads", "2");
        Train("--name", "three", "--seed", "5");
        string same = Runs("compare", "20261121-0238-one", "20261121-0238-two"),
            other = Runs("compare", "20261121-0238-one", "20261121-0238-three");
        Assert.Contains("settings  the same\n", same, StringComparison.Ordinal);
        Assert.Matches(
            @"metrics   the same in all \d+ events\nsteps     the same loss in all 2 that both made\nweights   equal bit for bit\n", same);
        Assert.Contains("setting   train.seed: 1 | 5\n", other, StringComparison.Ordinal);
        Assert.Contains("metrics   differ from the first event on\n          A: step 2, epoch 1, train: ", other, StringComparison.Ordinal);
        Assert.Matches(@"\nsteps     the same loss in 0, then at step 1: \d\.\d+ \| \d\.\d+\n", other);
        Assert.Contains("weights   different\n", other, StringComparison.Ordinal);
    }

    [Fact]
    public void TheFirstStepAtWhichTwoRunsPartIsNamed()
    {
        Train("--name", "one");
        Train("--name", "two", "--set", "optimizer.lr=0.02");
        Assert.Matches(@"\nsteps     the same loss in 1, then at step 2: \d\.\d+ \| \d\.\d+\n",
            Runs("compare", "20261121-0238-one", "20261121-0238-two"));
    }

    [Fact]
    public void OnlyWhatNobodyNeedsIsRemoved()
    {
        string run = Train("--name", "one");
        string half = Path.Combine(run, "checkpoints", "step-00000009.safetensors.tmp-2147483647"),
            skeleton = _test.PathOf("runs/20261121-0238-dead");
        File.WriteAllText(half, "half");
        File.SetLastWriteTimeUtc(half, DateTime.UtcNow.AddHours(-2));
        File.WriteAllText(Path.Combine(run, $"x.tmp-{Environment.ProcessId}"), "being written");
        File.WriteAllText(Path.Combine(run, "eval.json.tmp-2147483647"), "being written on another machine");
        Directory.CreateDirectory(skeleton);
        File.WriteAllText(Path.Combine(skeleton, ".rpat-run"), "");
        Assert.Equal($"{skeleton}\n{half}\n", Runs("clean", "--dry-run"));
        Assert.True(File.Exists(half));
        Runs("clean");
        Assert.False(File.Exists(half) || Directory.Exists(skeleton));
        Assert.NotEmpty(Directory.GetFiles(Path.Combine(run, "checkpoints")));
        Runs("clean", "--checkpoints");
        Assert.False(Directory.Exists(Path.Combine(run, "checkpoints")));
        Assert.True(File.Exists(Path.Combine(run, "model.safetensors")));
    }

    [Fact]
    public void ARunThatIsOpenIsLeftAlone()
    {
        string run = Train("--name", "one"), half = Path.Combine(run, "x.tmp-2147483647");
        File.WriteAllText(half, "half");
        using var held = new FileStream(Path.Combine(run, ".lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        Assert.Equal("", Runs("clean"));
        Assert.True(File.Exists(half));
    }

    [Fact]
    public void ARunIsMeasuredOnTheDataThatItWasTrainedOn()
    {
        string run = Train("--name", "one");
        Assert.True(_test.Run("eval", run, "--attacks", "clean", "--n", "8") == 0, _test.Error);
        Assert.Contains("8 images", _test.Out, StringComparison.Ordinal);
        Assert.True(_test.Run("eval", Path.Combine(run, "model.safetensors"), "--attacks", "clean", "--n", "8") == 0, _test.Error);
        File.Copy(Path.Combine(run, "model.safetensors"), _test.PathOf("foreign.safetensors"));
        Assert.Equal(2, _test.Run("eval", _test.PathOf("foreign.safetensors"), "--attacks", "clean"));
        Assert.Contains("foreign.safetensors' does not say which data set it was trained on: give --data.", _test.Error,
            StringComparison.Ordinal);
    }

    [Fact]
    public void ARunWhoseProcessIsGoneWasKilled()
    {
        string run = MadeRun.Finished(_test, "gone"), record = Path.Combine(run, RunRecord.FileName);
        File.WriteAllText(record, File.ReadAllText(record).Replace("\"finished\"", "\"running\"", StringComparison.Ordinal));
        Assert.Contains(" killed ", Runs("list"), StringComparison.Ordinal);
        string shown = Runs("show", run);
        Assert.Contains("status    killed", shown, StringComparison.Ordinal);
        Assert.Contains($"not finished: 'rpat train --resume {Path.GetFileName(run)}' resumes it.", shown, StringComparison.Ordinal);
        using var open = RunFolder.Reopen(run, new FixedClock());
        Assert.Contains("status    running", Runs("show", run), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("lr,lambda", "optimizer.lr +method.rpat.weight", @"0\.1 +1")]
    [InlineData("--batch-size,seed,method", @"train.batch +train.seed +method", "[0-9]+ +1 +pgd-at\\+rpat")]
    [InlineData("alpha", "attack.step", "2/255")]
    public void OptionsNameColumns(string columns, string head, string values)
    {
        MadeRun.Finished(_test, "one");
        string[] lines = Runs("list", "--columns", columns).Split('\n');
        Assert.Matches($"^Run +Status +{head} ", lines[0]);
        Assert.Matches($" finished +{values} ", lines[1]);
    }

    [Fact]
    public void AFolderWithoutRunsIsAnEmptyListAndOneThatIsMissingIsSaidToBe()
    {
        Assert.Equal(0, _test.Run("runs", "list", "--runs", _test.PathOf("nowhere")));
        Assert.Equal($"note: there is no folder '{_test.PathOf("nowhere")}'\n", _test.Error);
        Assert.Single(_test.Out.TrimEnd().Split('\n'));
        Directory.CreateDirectory(_test.PathOf("runs"));
        Assert.Single(Runs("list").TrimEnd().Split('\n'));
    }

    private string Train(params string[] more)
    {
        using var test = new TestHost();
        Assert.Equal(0, test.Run([.. TinyRun.Arguments(_test), "--max-steps", "2", "--out", _test.PathOf("runs"), .. more]));
        return Directory.GetDirectories(_test.PathOf("runs"), "*-" + more[1]).Single();
    }

    private string Runs(params string[] arguments)
    {
        using var test = new TestHost();
        Assert.True(test.Run(["runs", .. arguments, "--runs", _test.PathOf("runs")]) == 0, test.Error);
        return test.Out;
    }
}
