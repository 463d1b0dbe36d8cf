using Rpat.Tests.Trainer.Training;

namespace Rpat.Tests.Trainer.Cli;

/// <summary>What holds for every command: the device, determinism, loudness, JSON on stdout, and the environment.</summary>
public sealed class GlobalOptionTests : IDisposable
{
    private readonly TestHost _test = new();

    public void Dispose() => _test.Dispose();

    [Fact]
    public void AutoIsTheDefaultAndARunNamesWhatItCameTo()
    {
        using var host = new TestHost(("RPAT__DEVICE__NAME", "auto"));
        Assert.Equal(0, host.Run([.. TinyRun.Arguments(host), "--max-steps", "1", "--out", host.PathOf("runs")]));
        Assert.Matches("(?m)^device: (cpu, since .+|cuda:0, .+)$", host.Error);
        string config = File.ReadAllText(Path.Combine(RunFiles.Runs(host, "runs").Single(), "config.yaml"));
        Assert.Matches("(?m)^  name: (cpu|\"?cuda:0\"?) +# 'auto' on this machine", config);
        Assert.Equal(0, host.Run("config", "show", "--recipe", "fashion-quick"));
        Assert.Matches("(?m)^  name: auto ", host.Out);
    }

    [Fact]
    public void ARunThatBeganOnADeviceStaysThere()
    {
        Assert.Equal(0, _test.Run([.. TinyRun.Arguments(_test), "--max-steps", "1", "--out", _test.PathOf("runs")]));
        string run = RunFiles.Runs(_test, "runs").Single();
        Assert.Equal(0, _test.Run("train", "--resume", run, "--device", "auto", "--max-steps", "2", "--progress", "none"));
        Assert.Contains("\n  name: cpu ", File.ReadAllText(Path.Combine(run, "config.yaml")));
    }

    [Theory]
    [InlineData("train --recipe fashion-quick --device opencl")]
    [InlineData("eval {file} --data fashion-mnist --device opencl:1")]
    [InlineData("bench kernels --device opencl")]
    public void OpenClIsRefusedInOneSentenceThatNamesWhatThereIs(string line)
    {
        string file = _test.Write("net.safetensors", "");
        Assert.Equal(2, _test.Run(line.Replace("{file}", file, StringComparison.Ordinal).Split(' ')));
        Assert.Contains(
            "GPUs are used by CUDA only, since the kernels are compiled to NVIDIA's PTX: give cpu, cuda:0 for the first GPU, or auto",
            Assert.Single(_test.Error.TrimEnd().Split('\n')));
    }

    [Fact]
    public void DeterministicFastIsTheSameAndSaysSo()
    {
        Assert.Equal(0, _test.Run("recipes", "--deterministic", "fast"));
        Assert.Equal("note: every kernel adds in a fixed order, so --deterministic fast is the same as strict\n", _test.Error);
        using var strict = new TestHost();
        Assert.Equal(0, strict.Run("recipes", "--deterministic", "strict"));
        Assert.Equal(_test.Out, strict.Out);
        Assert.Empty(strict.Error);
        Assert.Equal(2, strict.Run("attacks", "--deterministic", "loose"));
        Assert.Contains("give strict or fast", strict.Error);
    }

    [Theory]
    [InlineData("attacks")]
    [InlineData("methods")]
    [InlineData("methods list")]
    [InlineData("models")]
    [InlineData("recipes")]
    [InlineData("data")]
    [InlineData("data list")]
    [InlineData("devices")]
    [InlineData("doctor")]
    public void AListIsJsonAndNothingElseOnStdout(string line)
    {
        Assert.Equal(0, _test.Run([.. line.Split(' '), "--json"]));
        using var parsed = JsonDocument.Parse(_test.Out);
        Assert.NotEmpty(parsed.RootElement.EnumerateArray());
        Assert.All(parsed.RootElement.EnumerateArray(), item => Assert.False(string.IsNullOrEmpty(item.GetProperty("name").GetString())));
    }

    [Fact]
    public void ResultsAreJsonOnStdoutFromTrainingToComparison()
    {
        string runs = _test.PathOf("runs");
        using var trained = Json([.. TinyRun.Arguments(_test), "--max-steps", "2", "--out", runs, "--json"]);
        string run = trained.RootElement.GetProperty("run").GetString()!;
        Assert.Equal(24, trained.RootElement.GetProperty("results")[0].GetProperty("images").GetInt32());
        using var measured = Json("eval", run, "--attacks", "clean,pgd2", "--json");
        Assert.Equal(1, measured.RootElement.GetProperty("results").GetArrayLength());
        using var attacked = Json("attack", run, "--attack", "fgsm", "--out", _test.PathOf("adv.npz"), "--json", "-");
        Assert.Equal(24, attacked.RootElement.GetProperty("images").GetInt32());
        using var list = Json("runs", "list", "--runs", runs, "--json");
        Assert.Equal("finished", list.RootElement[0].GetProperty("status").GetString());
        using var shown = Json("runs", "show", run, "--json");
        Assert.Equal(run, shown.RootElement.GetProperty("folder").GetString());
        using var compared = Json("runs", "compare", run, run, "--json");
        Assert.True(compared.RootElement.GetProperty("same_weights").GetBoolean());
        using var perception = Json("perception", run, "--perturbations", "noise", "--json");
        Assert.Equal(1, perception.RootElement.GetArrayLength());
    }

    [Fact]
    public void RpatDataIsWhereEveryCommandLooks()
    {
        using var host = new TestHost(("RPAT_DATA", _test.PathOf("sets")));
        Assert.Equal(0, host.Run("data", "synth", "cifar10", "-o", _test.PathOf("sets"), "--n", "50", "--test", "20"));
        Assert.Equal(0, host.Run("data", "verify", "cifar10"));
        Assert.Equal(0, host.Run("train", "--dry-run", "--recipe", "fashion-quick", "--dataset", "cifar10", "-b", "4"));
        Assert.Contains("(environment RPAT_DATA)",
            host.Out.Replace("# environment RPAT_DATA", "(environment RPAT_DATA)", StringComparison.Ordinal));
        Assert.Equal(3, _test.Run("data", "verify", "cifar10", "--data-dir", _test.PathOf("elsewhere")));
    }

    [Theory]
    [InlineData("crop,flip", "4", "true", "0", "0")]
    [InlineData("flip,cutout=3,cutmix=0.5", "0", "true", "3", "0.5")]
    [InlineData("none", "0", "false", "0", "0")]
    public void AugmentNamesAllAugmentationsAtOnce(string names, string crop, string flip, string cutout, string cutmix)
    {
        Assert.Equal(0, _test.Run("config", "show", "--recipe", "cifar10-preactresnet18-rpat-linf", "--augment", names));
        foreach (string line in new[] { $"crop: {crop} ", $"flip: {flip} ", $"cutout: {cutout} ", $"cutmix: {cutmix} " })
            Assert.Contains($"\n    {line}", _test.Out);
    }

    [Fact]
    public void AnAugmentationThatThereIsNoneOfIsNamed()
    {
        Assert.Equal(2, _test.Run("train", "--recipe", "fashion-quick", "--augment", "crop,flp"));
        Assert.Contains("--augment has 'flp': did you mean 'flip'?", _test.Error);
    }

    [Theory]
    [InlineData("error", 0)]
    [InlineData("warning", 1)]
    [InlineData("info", 2)]
    public void LoudnessHasLevels(string level, int lines)
    {
        string data = _test.PathOf("made-up.npz");
        Assert.Equal(0, _test.Run("data", "synth", "npz", "-o", data, "--n", "24", "--test", "24", "--size", "1x8x8", "--classes", "3"));
        using var host = new TestHost(("RPAT__DEVICE__NAME", "auto"));
        Assert.Equal(0, host.Run("eval", Trained(), "--data", "npz:" + data, "--attacks", "clean", "--log-level", level));
        Assert.Equal(lines > 0, host.Error.Contains("note: ", StringComparison.Ordinal));
        Assert.Equal(lines > 1, host.Error.Contains("device: ", StringComparison.Ordinal));
    }

    private string Trained()
    {
        Assert.Equal(0, _test.Run([.. TinyRun.Arguments(_test), "--max-steps", "1", "--out", _test.PathOf("runs")]));
        return RunFiles.Runs(_test, "runs").Single();
    }

    private static JsonDocument Json(params string[] line)
    {
        using var host = new TestHost();
        Assert.Equal(0, host.Run(line));
        return JsonDocument.Parse(host.Out);
    }
}
