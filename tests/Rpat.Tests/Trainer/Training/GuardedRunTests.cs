namespace Rpat.Tests.Trainer.Training;

/// <summary>Whole runs that diverge, are rolled back, are validated and overfit.</summary>
public sealed class GuardedRunTests : IDisposable
{
    private readonly TestHost _test = new();

    public void Dispose() => _test.Dispose();

    [Fact]
    public void ADivergedRunLeavesAPostMortem()
    {
        Assert.Equal(5, Train("--lr", "1e20"));
        Assert.Contains("rpat: training diverged at step", _test.Error);
        using var file = Safetensors.Read(Path.Combine(Run, "post-mortem.safetensors"));
        Assert.Contains("diverged", file.Metadata["rpat.reason"]);
        Assert.Equal([4, 1, 8, 8], file.Tensors["batch.images"].Shape);
        Assert.Equal([4, 3], file.Tensors["batch.logits"].Shape);
        Assert.Equal([4], file.Tensors["batch.samples"].Shape);
        Assert.Contains("net.conv1.weight", file.Tensors.Keys);
        Assert.Contains("sgd.conv1.weight", file.Tensors.Keys);
        Assert.True(file.HasDigest);
        file.CheckDigest();
    }

    [Fact]
    public void ARolledBackRunGoesOnMoreSlowlyAndGivesUpInTheEnd()
    {
        Assert.Equal(5, Train("--lr", "1e20", "--set", "guard.action=rollback", "--set", "guard.rollbacks=2"));
        Assert.Contains("rolled back from step", _test.Error);
        Assert.Contains("0.25 of the schedule's from here (rollback 2 of 2)", _test.Error);
        Assert.DoesNotContain("rollback 3", _test.Error);
    }

    [Fact]
    public void AResumedRunKnowsItsRollbacks()
    {
        string[] once = ["--lr", "1e20", "--set", "guard.action=rollback", "--set", "guard.rollbacks=1"];
        Assert.Equal(5, Train(once));
        Assert.Equal(5, Train([.. once, "--resume", "auto"]));
        Assert.Single(_test.Error.Split('\n'), line => line.Contains("rolled back from", StringComparison.Ordinal));
        Assert.Contains("rollback 1 of 1", File.ReadAllText(Path.Combine(Run, "warnings.txt")));
    }

    [Fact]
    public void ARollbackCanSaveARun()
    {
        Assert.Equal(0, Train("--lr", "1e20", "--set", "guard.action=rollback", "--set", "guard.cut=1e-22"));
        Assert.Contains("rollback 1 of 3", File.ReadAllText(Path.Combine(Run, "warnings.txt")));
        Assert.Contains("\"status\": \"finished\"", File.ReadAllText(Path.Combine(Run, "run.json")));
    }

    [Fact]
    public void ARollbacksRateIsNoDropOfTheSchedule()
    {
        var config = ConfigResolver.Resolve([Layers.Defaults(), Layers.Sets([$"data.name=npz:{TinyRun.Write(_test.PathOf("tiny.npz"))}",
            "model.name=preactresnet18", "model.width=4", "method.name=rebat", "optimizer.lr=0.1", "device.name=cpu", "run.threads=1"])]).Config;
        using var run = Rpat.Training.Run.Open(config, new RunProcessGroup());
        run.State.Guard = run.State.Guard with { RateFactor = 0.5 };
        Assert.Equal(0.05f, run.At(epoch: 1, step: 0, rate: 0.05f).TopRate);
    }

    // The labels are random, so that what is learned of them does not hold for images that were held out.
    [Fact]
    public void RobustOverfittingIsWarnedOf()
    {
        Assert.Equal(0, Train("--val-split", "9", "--monitor", "pgd2", "--epochs", "40", "--lr", "0.05", "--set", "attack.eps=1/255"));
        string warnings = File.ReadAllText(Path.Combine(Run, "warnings.txt"));
        Assert.Matches(
            @"(?m)^warning: robust overfitting at epoch \d+: PGD-2 on held-out images has fallen from .* while training rose from .*; use best\.safetensors, stop here, or try averaged weights \(average\.ema=0\.999\)\.\n", warnings);
        Assert.Contains("warning: robust overfitting", _test.Error);
        Assert.Contains("robust overfitting", File.ReadAllText(Path.Combine(Run, "report.html")));
    }

    [Fact]
    public void TheBestNetworkIsKeptAndMeasuredBesideTheLast()
    {
        Assert.Equal(0, Train("--val-split", "6", "--monitor", "pgd2", "--epochs", "4", "--lr", "0.1"));
        string table = File.ReadAllText(Path.Combine(Run, "metrics.csv"));
        Assert.Contains("val_clean,val_pgd-2", table.Split('\n')[0]);
        using var best = Safetensors.Read(Path.Combine(Run, "best.safetensors"));
        int epoch = int.Parse(best.Metadata["rpat.epoch"], System.Globalization.CultureInfo.InvariantCulture);
        double[] robust = [.. table.Trim().Split('\n').Skip(1).Select(row => Column(table, row, "val_pgd-2"))];
        Assert.Equal(epoch, Array.IndexOf(robust, robust.Max()) + 1);
        if (epoch < 4) Assert.Contains($"best epoch ({epoch}), on 24 held-out images", _test.Out);
        Assert.DoesNotContain("TEST images", _test.Error);
    }

    [Theory]
    [InlineData("average.ema=0")]
    [InlineData("average.ema=0.9")]
    public void TheBestNetworkIsTheOneThatARunOfItsEpochsReports(string average)
    {
        string[] settings = ["--val-split", "6", "--monitor", "pgd2", "--epochs", "4", "--lr", "0.1", "--set", average];
        Assert.Equal(0, Train(settings));
        using var best = Safetensors.Read(Path.Combine(Run, "best.safetensors"));
        int epoch = int.Parse(best.Metadata["rpat.epoch"], System.Globalization.CultureInfo.InvariantCulture);
        string last = Directory.GetFiles(Path.Combine(Run, "checkpoints")).Order(StringComparer.Ordinal).Last();
        int steps = int.Parse(Path.GetFileName(last)["step-".Length..].Split('.')[0], System.Globalization.CultureInfo.InvariantCulture) / 4;
        Assert.Equal(0, _test.Run([.. TinyRun.Arguments(_test).Concat(settings), "--max-steps", $"{epoch * steps}", "--out",
            _test.PathOf("shorter")]));
        using var reported = Safetensors.Read(Path.Combine(RunFiles.Runs(_test, "shorter").Single(), "model.safetensors"));
        Assert.Equal(reported.Tensors.Keys.Order(), best.Tensors.Keys.Order());
        foreach (string name in reported.Tensors.Keys)
            Assert.True(reported.Load(name).Data.Span.SequenceEqual(best.Load(name).Data.Span), name);
    }

    [Fact]
    public void ChoosingOnTestImagesIsSaidLoudly()
    {
        Assert.Equal(0, Train("--set", "eval.select=test", "--monitor", "pgd2", "--epochs", "1"));
        Assert.Contains("warning: the best checkpoint is chosen on the TEST images", _test.Error);
        Assert.Contains("TEST images", File.ReadAllText(Path.Combine(Run, "warnings.txt")));
    }

    private string Run => Directory.GetDirectories(_test.PathOf("runs")).Single(run => Path.GetFileName(run) != "latest");

    private int Train(params string[] arguments) =>
        _test.Run([.. TinyRun.Arguments(_test).Concat(arguments), "--out", _test.PathOf("runs")]);

    private static double Column(string table, string row, string name)
    {
        int at = Array.IndexOf(table.Split('\n')[0].Split(','), name);
        return double.Parse(row.Split(',')[at], System.Globalization.CultureInfo.InvariantCulture);
    }
}
