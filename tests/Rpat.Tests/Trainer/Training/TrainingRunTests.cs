using System.Collections.Concurrent;

namespace Rpat.Tests.Trainer.Training;

/// <summary>The train command end to end, on a net of width 4 and a few steps.</summary>
public sealed class TrainingRunTests(TrainingRunTests.Known known) : IClassFixture<TrainingRunTests.Known>, IDisposable
{
    private readonly TestHost _test = new();
    private int _runs;

    public void Dispose() => _test.Dispose();

    [Fact]
    public void ARunLeavesItsFilesAndEndsWithTheTable()
    {
        string run = Train("--ema", "0.9");
        string[] expected = [".rpat-run", "config.yaml", "log.txt", "metrics.csv", "metrics.jsonl", "model.safetensors", "report.html",
            "result.json", "run.json"];
        Assert.Equal(expected, Directory.GetFiles(run).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Contains("Clean   PGD-20     Mean      NRR", _test.Out);
        Assert.Contains("try next:", _test.Out);
        Assert.DoesNotContain('\u001b', _test.Out + _test.Error);
        Assert.Contains("\"status\": \"finished\"", File.ReadAllText(Path.Combine(run, "run.json")));
    }

    [Fact]
    public void TheCheckpointHasPyTorchsNamesAndShapes()
    {
        using var file = Safetensors.Read(Path.Combine(Train(), "model.safetensors"));
        Assert.Equal([4, 1, 3, 3], file.Tensors["conv1.weight"].Shape);
        Assert.Equal([8, 4, 1, 1], file.Tensors["layer2.0.shortcut.0.weight"].Shape);
        Assert.Equal([10, 32], file.Tensors["linear.weight"].Shape);
        Assert.Empty(file.Tensors["bn.num_batches_tracked"].Shape);
        Assert.Equal("1x28x28", file.Metadata["rpat.model.input"]);
    }

    [Fact]
    public void ThreadsChangeNothing() => Assert.Equal(Weights(), Weights("--threads", "2"));

    [Fact]
    public void WeightZeroIsPgdAt() => Assert.Equal(Weights("--set", "method.rpat.weight=0"), Weights("--set", "method=pgd-at"));

    [Fact]
    public void TheTermMatters() => Assert.NotEqual(Weights(), Weights("--set", "method=pgd-at"));

    [Fact]
    public void TheSeedMatters() => Assert.NotEqual(Weights(), Weights("--seed", "7"));

    [Fact]
    public void ALossThatExplodesIsSaidWithExitCode5()
    {
        Assert.Equal(5, Run("--lr", "1e20"));
        Assert.Contains("training diverged", _test.Error);
        Assert.Contains("\"status\": \"diverged\"", File.ReadAllText(Path.Combine(RunOf(Out), "run.json")));
    }

    [Theory]
    [InlineData("auto", "3x3 winograd")]
    [InlineData("direct", "3x3 direct")]
    public void TheRecordNamesEachConvolutionsAlgorithm(string choice, string algorithm)
    {
        using var json = JsonDocument.Parse(File.ReadAllText(Path.Combine(Train("--conv", choice), "run.json")));
        var convolutions = json.RootElement.GetProperty("compute").GetProperty("convolutions");
        Assert.Equal(algorithm, convolutions.GetProperty("layer1.0.conv1.weight").GetString());
        Assert.Equal("first 3x3 direct", convolutions.GetProperty("conv1.weight").GetString());
        Assert.Equal("1x1/2 direct", convolutions.GetProperty("layer2.0.shortcut.0.weight").GetString());
    }

    [Fact]
    public void MissingDataLeavesNoRunFolder()
    {
        Assert.Equal(3, Run("--dataset", "cifar10", "--data-dir", _test.PathOf("nothing")));
        Assert.Contains("data_batch_1.bin", _test.Error);
        Assert.False(Directory.Exists(Out));
    }

    private string Out => _test.PathOf($"runs-{_runs}");

    private byte[] Weights(params string[] arguments) => known.Weights.GetOrAdd(string.Join(' ', arguments),
        _ => File.ReadAllBytes(Path.Combine(Train(arguments), "model.safetensors")));

    private string Train(params string[] arguments)
    {
        int code = Run(arguments);
        Assert.True(code == 0, _test.Error);
        return RunOf(Out);
    }

    private static string RunOf(string folder) => Directory.GetDirectories(folder).Single(run => Path.GetFileName(run) != "latest");

    private int Run(params string[] arguments)
    {
        _runs++;
        return _test.Run([
            "train", "--recipe", "fashion-quick", "--set", "model.width=4", "--set", "train.max_steps=3", "--set", "train.batch=16",
            "--set", "eval.n=20", "--set", "attack.steps=3", "--out", Out, .. arguments,
        ]);
    }

    /// <summary>Weights by the options that they were trained with, so that each network is trained once.</summary>
    public sealed class Known
    {
        public ConcurrentDictionary<string, byte[]> Weights { get; } = [];
    }
}
