using Rpat.Tests.Support;
using Rpat.Tests.Trainer.Runs;
using Rpat.Tests.Trainer.Training;
using Rpat.Trainer.Cli;

namespace Rpat.Tests.Trainer.Cli;

/// <summary>Run names, run folders and the files in them, in every command.</summary>
public sealed class RunNameTests(RunNameFixture fixture) : IClassFixture<RunNameFixture>
{
    private static readonly string[] _evaluation = ["--attacks", "pgd1", "--n", "2"];

    [Theory]
    [InlineData("one")]
    [InlineData("latest")]
    [InlineData("20261121-0238-one")]
    [InlineData("one/model.safetensors")]
    [InlineData("latest/model.safetensors")]
    [InlineData("{run}")]
    [InlineData("{run}/model.safetensors")]
    public void EveryCommandUnderstandsThem(string name)
    {
        string text = name.Replace("{run}", fixture.Run, StringComparison.Ordinal);
        using var test = new TestHost();
        Assert.True(fixture.Rpat(test, "export", text, "-o", test.PathOf("net.npz")) == 0, test.Error);
        Assert.True(fixture.Rpat(test, "import", text, "--list") == 0, test.Error);
        Assert.True(fixture.Rpat(test, ["eval", text, .. _evaluation, "--out", test.PathOf("eval")]) == 0, test.Error);
        Assert.True(fixture.Rpat(test, "attack", text, "--attack", "fgsm", "--n", "2", "-o", test.PathOf("a")) == 0, test.Error);
        Assert.True(File.Exists(test.PathOf("a.npz")));
        Assert.EndsWith($"\nfile: {test.PathOf("a.npz")}\n", test.Out, StringComparison.Ordinal);
        Assert.True(fixture.Rpat(test, "perception", text, "--n", "4", "-o", test.PathOf("p")) == 0, test.Error);
        Assert.True(fixture.Rpat(test, "eval", "verify", test.PathOf("eval"), "--checkpoint", text) == 0, test.Error);
        if (text.EndsWith("model.safetensors", StringComparison.Ordinal)) return;
        Assert.True(fixture.Rpat(test, "runs", "show", text) == 0, test.Error);
        Assert.True(fixture.Rpat(test, "report", text, "-o", test.PathOf("r.html")) == 0, test.Error);
        Assert.True(fixture.Rpat(test, "config", "show", "-c", text) == 0, test.Error);
        Assert.Contains("name: pgd-at+rpat", test.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void AdversarialImagesInAFolderHaveTheAttacksName()
    {
        using var test = new TestHost();
        Assert.True(fixture.Rpat(test, "attack", "one", "--attack", "fgsm", "--n", "2", "-o", test.Folder) == 0, test.Error);
        Assert.True(File.Exists(test.PathOf("fgsm.npz")));
        Assert.Equal(2, fixture.Rpat(test, "attack", "one", "--attack", "fgsm", "--n", "2", "-o", "-"));
        Assert.Contains("rpat: '-' is no file's name: give one, such as fgsm.npz.", test.Error, StringComparison.Ordinal);
    }

    /// <summary>What is measured of a checkpoint is not the run's.</summary>
    [Fact]
    public void PerceptionOfACheckpointHasAFolderOfItsOwn()
    {
        using var test = new TestHost();
        string copy = RunFiles.Copy(fixture.Run, test, "runs"), step = Directory.GetFiles(Path.Combine(copy, "checkpoints"))[0];
        Assert.True(fixture.Rpat(test, "perception", step, "--n", "4") == 0, test.Error);
        Assert.True(File.Exists(Path.Combine(copy, "perception", Path.GetFileNameWithoutExtension(step), "perception.json")));
        Assert.False(File.Exists(Path.Combine(copy, "perception", "perception.json")));
        Assert.True(fixture.Rpat(test, "perception", copy, "--n", "4") == 0, test.Error);
        Assert.True(File.Exists(Path.Combine(copy, "perception", "perception.json")));
    }

    [Theory]
    [InlineData("eval nope")]
    [InlineData("eval runs/nope.pth --data fashion-mnist")]
    [InlineData("export nope -o x.npz")]
    [InlineData("import nope --list")]
    [InlineData("perception nope")]
    [InlineData("attack nope --attack fgsm -o x.npz")]
    [InlineData("eval verify nope")]
    [InlineData("eval corruptions nope --folder x")]
    public void WhatIsNotThereIsSaidToBeMissing(string line)
    {
        using var test = new TestHost();
        Assert.Equal(2, fixture.Rpat(test, line.Split(' ')));
        string sentence = Assert.Single(test.Error.TrimEnd().Split('\n'));
        Assert.Matches("^rpat: '.*nope.*' does not exist, neither as a path nor as a run in", sentence);
    }

    [Theory]
    [InlineData("one/best.safetensors", "^rpat: run '.*-one' has no 'best.safetensors': data.validation makes one.$")]
    [InlineData("latest/nope.safetensors", "^rpat: run '.*-one' has no 'nope.safetensors': give the run alone for its network.$")]
    public void AFileThatARunDoesNotHaveIsNamed(string text, string sentence)
    {
        using var test = new TestHost();
        Assert.Equal(2, fixture.Rpat(test, "export", text, "-o", test.PathOf("x.npz")));
        Assert.Matches(sentence, test.Error.TrimEnd());
    }

    [Fact]
    public void ARunWithoutANetworkHasThatOfItsNewestCheckpoint()
    {
        using var test = new TestHost();
        string run = MadeRun.Finished(test, "cut"), folder = Path.Combine(run, RunContents.CheckpointFolder);
        foreach (string file in Directory.GetFiles(Path.Combine(fixture.Run, RunContents.CheckpointFolder)))
            File.Copy(file, Path.Combine(folder, "step-00000010.safetensors"), overwrite: true);
        File.Delete(Path.Combine(run, CheckpointFile.Name));
        Assert.Equal(Path.Combine(folder, "step-00000010.safetensors"), CheckpointFile.At(run));
        Assert.True(test.Run("export", run, "-o", test.PathOf("cut.npz")) == 0, test.Error);
        Assert.True(test.Run(["eval", run, "--data", fixture.Data, .. _evaluation]) == 0, test.Error);
        Assert.Equal("PGD-1", Rpat.Trainer.Report.RunData.Load(run).Robust!.Attack);
        Directory.Delete(folder, recursive: true);
        using var empty = new TestHost();
        Assert.Equal(6, empty.Run("export", run, "-o", test.PathOf("cut.npz")));
        Assert.Matches("^rpat: folder '.*-cut' has neither 'model.safetensors' nor a checkpoint: give a run that has saved one, or a "
            + "file.$",
            empty.Error.TrimEnd());
    }

    [Theory]
    [InlineData("0.5,0.5", "0.25", "--mean has 2 values, the network's images 1 channel: give --mean and --std one for each, or one for all.")]
    [InlineData("0.5", "0.2,0.2,0.2", "--std has 3 values, the network's images 1 channel")]
    [InlineData("0.5", "0", "--std is 0: deviations are above 0.")]
    public void AWrongNormalisationIsNamed(string mean, string std, string sentence)
    {
        using var test = new TestHost();
        Assert.Equal(2, fixture.Rpat(test, "export", "one", "--mean", mean, "--std", std, "-o", test.PathOf("x.npz")));
        Assert.Contains($"rpat: {sentence}", test.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void AnEvaluationOfAForeignFileGoesToTheRunsAndIsRemembered()
    {
        using var test = new TestHost();
        string file = test.PathOf("weights.npz");
        Assert.Equal(0, fixture.Rpat(test, "export", "one", "-o", file));
        string[] line = ["eval", file, "--data", fixture.Data, .. _evaluation];
        Assert.True(test.Run([.. line, "--model", "PreActResNet-18"]) == 0, test.Error);
        string home = Assert.Single(Directory.GetDirectories(test.PathOf("runs"), "weights-*"));
        string evaluation = Assert.Single(Directory.GetDirectories(Path.Combine(home, "eval")));
        Assert.False(Directory.Exists(test.PathOf("eval")));
        Assert.True(test.Run([.. line[..^1], "3"]) == 0, test.Error);
        Assert.Contains("is read as in its last evaluation: model preactresnet18", test.Error, StringComparison.Ordinal);
        Assert.True(test.Run("eval", "verify", evaluation) == 0, test.Error);
        Assert.True(test.Run("eval", "verify", evaluation, "--model", "PREACTRESNET18") == 0, test.Error);
        Assert.True(test.Run("perception", file, "--data", fixture.Data, "--model", "preactresnet18", "--n", "4") == 0, test.Error);
        Assert.True(File.Exists(Path.Combine(home, "perception", "perception.html")));
        string name = Path.GetFileName(home);
        foreach (string text in new[] { name, home, file })
        {
            Assert.True(test.Run("runs", "show", text) == 0, test.Error);
            Assert.True(test.Run("report", text, "-o", test.PathOf("r.html")) == 0, test.Error);
            Assert.True(test.Run(["eval", text, .. _evaluation, "--resume"]) == 0, test.Error);
            Assert.Equal(2, test.Run("eval", "verify", text));
            Assert.Contains("has 2 evaluations: give one of", test.Error, StringComparison.Ordinal);
        }
        Assert.True(test.Run("runs", "compare", name, fixture.Run) == 0, test.Error);
        Assert.Contains("settings  'weights.npz' was not trained here: ", test.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("settings  the same", test.Out, StringComparison.Ordinal);
        Assert.True(test.Run("report", name, fixture.Run, "--markdown") == 0, test.Error);
        Assert.Contains($"| {name} ", test.Out, StringComparison.Ordinal);
        Assert.True(test.Run("runs", "list") == 0, test.Error);
        Assert.Contains($"{name}  elsewhere", test.Out, StringComparison.Ordinal);
        Assert.Contains("20261121", Path.GetFileName(fixture.Run), StringComparison.Ordinal);
    }

    [Fact]
    public void AModelHasItsCardBesideIt()
    {
        using var test = new TestHost();
        Assert.Equal(0, fixture.Rpat(test, "export", "one", "-o", test.PathOf("net.pt")));
        string card = File.ReadAllText(test.PathOf("net.pt.card.md"));
        string[] parts =
        [
            "# net.pt", "| network", "preactresnet18", "| SHA-256", "| method.name", "pgd-at+rpat", "rpat train --recipe", "## Results",
            "PGD-2", "## Limits", "torch.load(\"net.pt\", weights_only=True)",
        ];
        foreach (string part in parts) Assert.Contains(part, card, StringComparison.Ordinal);
        File.Copy(test.PathOf("net.pt"), test.PathOf("alien.pt"));
        Assert.Equal(0, test.Run("export", test.PathOf("alien.pt"), "--model", "preactresnet18", "-o", test.PathOf("alien.onnx")));
        Assert.Contains("is not known here", File.ReadAllText(test.PathOf("alien.onnx.card.md")), StringComparison.Ordinal);
    }

    [Fact]
    public void OfSeveralRunsOfANameTheNewestIsMeant()
    {
        using var test = new TestHost();
        string[] made = [.. new[] { "20260101-0000-a", "20260301-0000-a", "20260301-0000-a-2", "20260401-0000-a-3", "20260201-0000-b" }
            .Select(name => Made(test, name))];
        Assert.Equal(made[..3], RunFinder.OfName("a", test.PathOf("runs")));
        Assert.Equal(made[2], RunFinder.Find("a", test.PathOf("runs")));
        Assert.Equal(made[3], RunFinder.Find("a-3", test.PathOf("runs")));
        Assert.Null(RunFinder.Find("c", test.PathOf("runs")));
        Assert.Equal(made[2], RunFinder.RunOf(Path.Combine(made[2], "checkpoints", "step-1.safetensors")));
    }

    // The names have local times: the first was made in another time zone.
    [Fact]
    public void TheNewestRunIsThatWhichBeganLast()
    {
        using var test = new TestHost();
        string[] made = [Made(test, "20260301-2349-a"), Made(test, "20260301-1805-a")];
        for (int i = 0; i < 2; i++) File.WriteAllText(Path.Combine(made[i], RunRecord.FileName), JsonSerializer.Serialize(new RunRecord([],
            DateTimeOffset.UnixEpoch.AddHours(i), null, RunStatus.Finished, 0, null, MachineInfo.Here(),
            new ComputeInfo("cpu", "", new Dictionary<string, string>())), RunJson.Format));
        Assert.Equal(made, RunFinder.OfName("a", test.PathOf("runs")));
    }

    [Fact]
    public void AFolderThatIsNoRunIsSaidToBeOne()
    {
        using var test = new TestHost();
        string folder = MadeRun.Begun(test, "begun");
        Assert.StartsWith($"folder '{folder}' is no run, having no run.json: give a run folder.",
            Assert.Throws<UsageException>(() => RunFinder.Named(folder, test.PathOf("runs"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void CaseCountsOnlyWhereItTellsRunsApartAndADoubtIsSaid()
    {
        using var test = new TestHost();
        string root = test.PathOf("runs");
        string[] made = [.. new[] { "20260101-0000-a", "20260201-0000-a", "20260301-0000-A", "20260401-0000-B" }
            .Select(name => Made(test, name))];
        Assert.Equal(made[1], RunFinder.Find("a", root));
        Assert.Equal(made[2], RunFinder.Find("A", root));
        Assert.Equal(made[3], RunFinder.Find("b", root));
        Assert.Equal(made[3], RunFinder.Find("20260401-0000-b", root));
        Assert.Equal("'a' is '20260201-0000-a', the newest of 2 runs of that name (before it 20260101-0000-a)",
            RunFinder.Doubt("a/model.safetensors", root));
        Assert.Null(RunFinder.Doubt("b", root));
        Assert.Null(RunFinder.Doubt("20260101-0000-a", root));
        MadeRun.Finished(test, "twice");
        MadeRun.Finished(test, "twice");
        Assert.Equal(0, test.Run("runs", "show", "Twice", "--runs", root));
        Assert.Contains("note: 'Twice' is '20261121-0238-twice-2', the newest of 2", test.Error, StringComparison.Ordinal);
    }

    private static string Made(TestHost test, string name)
    {
        string folder = Directory.CreateDirectory(Path.Combine(test.PathOf("runs"), name)).FullName;
        foreach (string file in (string[])["run.json", "config.yaml"]) File.WriteAllText(Path.Combine(folder, file), "");
        return folder;
    }
}

/// <summary>One run named <c>one</c>, made once for all tests.</summary>
public sealed class RunNameFixture : IDisposable
{
    private readonly TestHost _test = new();

    public RunNameFixture()
    {
        Assert.True(_test.Run([.. TinyRun.Arguments(_test), "--max-steps", "1", "--name", "one"]) == 0, _test.Error);
        Run = RunFiles.Runs(_test, "runs").Single();
    }

    public string Run { get; }

    public string Data => "npz:" + _test.PathOf("tiny.npz");

    internal int Rpat(TestHost test, params string[] arguments) => App.Run(arguments, test.Host with
    {
        Environment = new Dictionary<string, string>(test.Host.Environment) { ["RPAT_RUNS"] = _test.PathOf("runs") },
    });

    public void Dispose() => _test.Dispose();
}
