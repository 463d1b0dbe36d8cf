namespace Rpat.Tests.Trainer.Runs;

/// <summary><c>runs clean</c> removes nothing but what this program wrote and nobody needs.</summary>
public sealed class RunCleanupTests : IDisposable
{
    private readonly TestHost _test = new();
    private readonly TestHost _clean = new();

    public void Dispose()
    {
        _test.Dispose();
        _clean.Dispose();
    }

    [Fact]
    public void ARunThatWasKilledBeforeItsFirstRecordIsRemoved()
    {
        string run = MadeRun.Begun(_test, "begun");
        File.WriteAllText(Path.Combine(run, "run.json.tmp-2147483647"), "half");
        Assert.Equal(run + "\n", Clean());
        Assert.False(Directory.Exists(run));
    }

    [Theory]
    [InlineData("model.safetensors")]
    [InlineData("notes.txt")]
    [InlineData("notes.txt.tmp-2147483647")]
    public void ABegunRunThatHoldsAnythingElseStays(string other)
    {
        string run = MadeRun.Begun(_test, "begun");
        File.WriteAllText(Path.Combine(run, other), "mine");
        Assert.Equal("", Clean());
        Assert.True(File.Exists(Path.Combine(run, other)) && File.Exists(Path.Combine(run, "config.yaml")));
    }

    [Theory]
    [InlineData("config.yaml", null)]
    [InlineData("run.json", "")]
    [InlineData("run.json", "\0\0\0\0")]
    [InlineData("run.json", "{}")]
    public void AFinishedRunStaysWhateverItLost(string file, string? content)
    {
        string run = MadeRun.Finished(_test, "done");
        if (content is null) File.Delete(Path.Combine(run, file));
        else File.WriteAllText(Path.Combine(run, file), content);
        Assert.Equal("", Clean());
        Assert.True(File.Exists(Path.Combine(run, "checkpoints", "step-00000002.safetensors")));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{\"name\":\"something else\"}")]
    public void AFolderOfSomebodyElseStaysAndIsNamed(string record)
    {
        string folder = Directory.CreateDirectory(_test.PathOf("runs/20261121-0238-other")).FullName;
        File.WriteAllText(Path.Combine(folder, "run.json"), record);
        File.WriteAllText(Path.Combine(folder, "metrics.csv.tmp-2147483647"), "theirs");
        Assert.Equal("", Clean("--checkpoints"));
        Assert.Equal(2, Directory.GetFiles(folder).Length);
        Assert.Contains($"'{folder}' stays: it is no run of this program.", _clean.Error);
    }

    [Fact]
    public void NoLinkIsFollowed()
    {
        string run = MadeRun.Finished(_test, "done"), outside = Directory.CreateDirectory(_test.PathOf("outside")).FullName;
        string[] kept = [Path.Combine(outside, "step-00000001.safetensors"), Path.Combine(outside, "model.json.tmp-2147483647")];
        foreach (string file in kept) File.WriteAllText(file, "theirs");
        Directory.Delete(Path.Combine(run, "checkpoints"), recursive: true);
        foreach (string link in (string[])["checkpoints", "eval", "images"]) Directory.CreateSymbolicLink(Path.Combine(run, link), outside);
        Directory.CreateSymbolicLink(_test.PathOf("runs/loop"), "loop");
        Directory.CreateSymbolicLink(Path.Combine(Directory.CreateDirectory(Path.Combine(run, "perception")).FullName, "up"), "..");
        Directory.CreateSymbolicLink(_test.PathOf("runs/20261121-0238-linked"), outside);
        Assert.Equal("", Clean("--checkpoints"));
        Assert.All(kept, file => Assert.True(File.Exists(file)));
    }

    [Fact]
    public void OnlyCheckpointsGoAndWhatIsBesideThemIsNamed()
    {
        string folder = Path.Combine(MadeRun.Finished(_test, "done"), "checkpoints"), other = Path.Combine(folder, "step-by-step.txt");
        File.WriteAllText(other, "mine");
        Assert.Equal(folder + "\n", Clean("--checkpoints"));
        Assert.Equal([other], Directory.GetFiles(folder));
        Assert.Contains($"'{other}' stays", _clean.Error);
    }

    [Fact]
    public void TheLastCopyOfANetworkStays()
    {
        string run = MadeRun.Finished(_test, "done");
        File.Delete(Path.Combine(run, "model.safetensors"));
        Assert.Equal("", Clean("--checkpoints"));
        Assert.Contains("checkpoints' stays: the run has no model.safetensors", _clean.Error);
    }

    private string Clean(params string[] options)
    {
        Assert.True(_clean.Run(["runs", "clean", "--runs", _test.PathOf("runs"), .. options]) == 0, _clean.Error);
        return _clean.Out;
    }
}
