namespace Rpat.Tests.Trainer.Runs;

public sealed class RunFolderTests : IDisposable
{
    private readonly TestHost _test = new();

    public void Dispose() => _test.Dispose();

    [Fact]
    public void AFolderIsNamedByTimeAndRecipe()
    {
        using var run = Create(_test.PathOf("deep/runs"));
        Assert.Equal(_test.PathOf("deep/runs/20261121-0238-fashion-quick"), run.Path);
        Assert.Contains("name: fashion-quick", File.ReadAllText(run.PathOf("config.yaml")));
    }

    [Fact]
    public void AnExistingFolderIsKeptAndANumberAppended()
    {
        string taken = Directory.CreateDirectory(_test.PathOf("20261121-0238-fashion-quick")).FullName;
        File.WriteAllText(Path.Combine(taken, "keep"), "me");
        using RunFolder second = Create(_test.Folder), third = Create(_test.Folder);
        Assert.EndsWith("fashion-quick-2", second.Path);
        Assert.EndsWith("fashion-quick-3", third.Path);
        Assert.Equal("me", File.ReadAllText(Path.Combine(taken, "keep")));
    }

    [Fact]
    public void RunsStartedAtOnceGetFoldersOfTheirOwn()
    {
        var runs = Enumerable.Range(0, 8).AsParallel().WithDegreeOfParallelism(8).Select(_ => Create(_test.Folder)).ToList();
        Assert.Equal(8, runs.Select(run => run.Path).Distinct().Count());
        runs.ForEach(run => run.Dispose());
    }

    [Fact]
    public void LatestPointsAtTheNewestRun()
    {
        Create(_test.Folder).Dispose();
        using var run = Create(_test.Folder);
        var latest = new FileInfo(_test.PathOf("latest"));
        Assert.Equal(Path.GetFileName(run.Path), latest.LinkTarget ?? File.ReadAllText(latest.FullName).Trim());
    }

    [Fact]
    public void AFolderCalledLatestIsLeftAlone()
    {
        Directory.CreateDirectory(_test.PathOf("latest"));
        File.WriteAllText(_test.PathOf("latest/keep"), "me");
        Create(_test.Folder).Dispose();
        Assert.Equal("me", File.ReadAllText(_test.PathOf("latest/keep")));
    }

    [Fact]
    public void AFileCalledLatestIsLeftAlone()
    {
        string latest = _test.Write("latest", "me");
        Create(_test.Folder).Dispose();
        Assert.Equal("me", File.ReadAllText(latest));
    }

    [Fact]
    public void AnUnusableOutputFolderIsOneSentenceAndLeavesNothing()
    {
        string file = _test.Write("file", "content");
        var error = Assert.Throws<UsageException>(() => Create(Path.Combine(file, "runs")));
        Assert.Equal(2, error.Code);
        Assert.Contains("as run.out", error.Message);
        Assert.DoesNotContain('\n', error.Message);
        Assert.Equal([file], Directory.GetFileSystemEntries(_test.Folder));
    }

    [Fact]
    public void TheRecordIsJsonThatToolsCanRead()
    {
        using var run = Create(_test.Folder);
        var start = new FixedClock().Now;
        new RunRecord(["rpat", "train"], start, start.AddMinutes(1), RunStatus.Diverged, 5, "loss is NaN", MachineInfo.Here(),
            new ComputeInfo("cpu", "two threads", new Dictionary<string, string> { ["conv1.weight"] = "3x3 direct" })).Save(run);
        using var json = JsonDocument.Parse(File.ReadAllText(run.PathOf("run.json")));
        var root = json.RootElement;
        Assert.Equal("diverged", root.GetProperty("status").GetString());
        Assert.Equal(5, root.GetProperty("exit_code").GetInt32());
        Assert.Equal(start, root.GetProperty("start").GetDateTimeOffset());
        Assert.Equal("train", root.GetProperty("command_line")[1].GetString());
        Assert.NotEmpty(root.GetProperty("machine").GetProperty("cpu").GetString()!);
    }

    private static RunFolder Create(string root) => RunFolder.Create(
        ConfigResolver.Resolve(new ConfigSources([], new Dictionary<string, string>(), ["recipe=fashion-quick", $"run.out={root}"], [])),
        new FixedClock());
}
