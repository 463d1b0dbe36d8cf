using Rpat.Robust.Settings;
using Rpat.Tests.Trainer.Runs;
using Rpat.Trainer.Report;

namespace Rpat.Tests.Trainer.Report;

/// <summary>Which evaluations are a run's result: those of its network as it is.</summary>
public sealed class EvaluationsOfRunTests : IDisposable
{
    private readonly TestHost _test = new();

    public void Dispose() => _test.Dispose();

    [Fact]
    public void AnEvaluationOfEarlierWeightsDoesNotCount()
    {
        string run = MadeRun.Finished(_test, "one"), model = Path.Combine(run, "model.safetensors");
        File.WriteAllText(model, "unfinished");
        Evaluate(run, "early", model, EvalSubject.HashOf(model), right: 3);
        Assert.Equal(3, RunData.Load(run).Robust!.Correct);
        File.SetLastWriteTimeUtc(model, DateTime.UtcNow.AddMinutes(1)); // a copy of the run: as it was
        Assert.Equal(3, RunData.Load(run).Robust!.Correct);
        Assert.NotEmpty(ImageOutcomes.Of(run));
        File.WriteAllText(model, "finished");
        File.SetLastWriteTimeUtc(model, DateTime.UtcNow.AddMinutes(1));
        var data = RunData.Load(run);
        Assert.Null(data.Robust);
        Assert.Contains(data.Warnings, line => line.StartsWith(
            "The evaluation early is of earlier weights of model.safetensors: it is not shown",
            StringComparison.Ordinal));
        Assert.Empty(ImageOutcomes.Of(run));
        Assert.Equal(0, _test.Run("runs", "list"));
        Assert.DoesNotContain("30.00", _test.Out, StringComparison.Ordinal);
        Evaluate(run, "late", model, EvalSubject.HashOf(model), right: 2);
        Assert.Equal(2, RunData.Load(run).Robust!.Correct);
    }

    // A checkpoint of an earlier step may be measured, and is no result of the training.
    [Fact]
    public void AnotherFileOfTheRunDoesNotDecide()
    {
        string run = MadeRun.Finished(_test, "one"), step = Path.Combine(run, "checkpoints", "step-00000002.safetensors");
        Evaluate(run, "network", Path.Combine(run, "model.safetensors"), "x", right: 3);
        Evaluate(run, "step", step, "x", right: 1, "aa");
        var data = RunData.Load(run);
        Assert.Equal(("PGD-20", 3), (data.Robust!.Attack, data.Robust.Correct));
        Assert.Contains(data.Accuracies, a => a is { Attack: "AA", Source: "step of step-00000002.safetensors" });
        File.Delete(Path.Combine(run, "model.safetensors")); // an unfinished run, whose newest checkpoint is its network
        Assert.Equal("AA", RunData.Load(run).Robust!.Attack);
        File.WriteAllText(Path.Combine(run, "checkpoints", "step-00000003.safetensors"), "newer");
        Assert.Contains(RunData.Load(run).Accuracies, a => a is { Attack: "AA", Source: "step of step-00000002.safetensors" });
    }

    [Fact]
    public void TheThreatModelOfTheTrainingDecides()
    {
        string run = MadeRun.Finished(_test, "one", "attack.eps=4/255");
        Evaluate(run, "other", Path.Combine(run, "model.safetensors"), "x", right: 1, "aa");
        Evaluate(run, "own", Path.Combine(run, "model.safetensors"), "x", right: 3, eps: "4/255");
        Assert.Equal("PGD-20", RunData.Load(run).Robust!.Attack);
        Assert.Matches(@"to \d+\.\d\d on 10 images, linf eps 4/255<", RunReport.Page(RunData.Load(run)));
    }

    /// <summary>A radius may be written in several ways.</summary>
    [Fact]
    public void ThreatsAreComparedByTheirLengths()
    {
        string run = MadeRun.Finished(_test, "one", "attack.norm=l2", "attack.eps=1", "attack.step=0.2");
        RunResult.Save(run, [new EvaluationResult(10, "l2 eps 255/255", [new("Clean", true, 0.9), new("PGD-20", false, 0.4)])]);
        Evaluate(run, "aa", Path.Combine(run, "model.safetensors"), "x", right: 3, "aa");
        var data = RunData.Load(run);
        Assert.Equal(("PGD-20", "l2 eps 1"), (data.Robust!.Attack, data.Robust.Threat));
        Assert.Contains(data.Warnings, warning => warning.Contains("measured by PGD alone", StringComparison.Ordinal)); // AA was another threat
        Assert.Equal($"rpat eval {run} --attacks clean,pgd20,aa --n 100 --norm l2 --eps 1", NextStep.Of(run, run));
    }

    [Fact]
    public void OfOneMeasuredTwiceTheLaterCounts()
    {
        string run = MadeRun.Finished(_test, "one"), model = Path.Combine(run, "model.safetensors");
        foreach (var (name, right) in new[] { ("pgd-n10", 1), ("pgd-n10-2", 2), ("pgd-n10-9", 3), ("pgd-n10-10", 4) })
            Evaluate(run, name, model, "x", right);
        Assert.Equal(4, RunData.Load(run).Robust!.Correct);
    }

    [Fact]
    public void SeedsWithOtherBestEpochsAreOneRow()
    {
        string[] runs = [.. new[] { (1, 3), (2, 4) }.Select(seed =>
        {
            string run = MadeRun.Finished(_test, $"s{seed.Item1}", $"train.seed={seed.Item1}");
            EvaluationResult Of(string network) => new(10, "linf eps 8/255", [new("Clean", true, 0.9), new("PGD-20", false, 0.4)])
            { Network = network, Split = "test" };
            RunResult.Save(run, [Of("last epoch (5)"), Of($"best epoch ({seed.Item2})") with { Split = "test_best" }]);
            return run;
        })];
        string table = new PaperTable(SharedEvaluation.Of([.. runs.Select(RunData.Load)])).Write("md");
        Assert.Matches(@"(?m)^\| [^|]+\| +2 +\|", table);
        Assert.Equal(3, table.Split('\n').Count(line => line.StartsWith('|')));
    }

    [Fact]
    public void AFileFromElsewhereHasItsNetworkAndItsThreat()
    {
        string file = _test.Write("r18.pt", "weights"), home = Directory.CreateDirectory(_test.PathOf("runs/r18-1")).FullName;
        Evaluate(home, "one", file, EvalSubject.HashOf(file), right: 3);
        var data = RunData.Load(home);
        Assert.Equal(("resnet18", "cifar10"), (data.Setting("model.name"), data.Setting("data.name")));
        string own = MadeRun.Finished(_test, "own", "attack.eps=4/255", "data.name=cifar10");
        Evaluate(own, "one", Path.Combine(own, "model.safetensors"), "x", right: 5);
        string table = new PaperTable(SharedEvaluation.Of([data, RunData.Load(own)])).Write("md");
        Assert.Matches(@"(?m)^\| Method +\| Network +\| Seeds ", table);
        Assert.Matches(@"(?m)^\| r18-1 +\| resnet18 ", table);
        Assert.Contains("threat linf eps 8/255", table, StringComparison.Ordinal); // at which both were measured, not trained
        var grouped = new RunTable([data], []).Grouped([("method", "method.name")], apart: false);
        Assert.Equal("r18-1", grouped.Rows[0][0]);
        File.WriteAllText(file, "other weights");
        File.SetLastWriteTimeUtc(file, DateTime.UtcNow.AddMinutes(1));
        Assert.Null(RunData.Load(home).Robust);
    }

    [Fact]
    public void AttackAndImagesStayBesideRobust()
    {
        string run = MadeRun.Finished(_test, "a-run-whose-name-is-long-enough-to-leave-no-room-for-anything-else-at-all");
        Evaluate(run, "one", Path.Combine(run, "model.safetensors"), "x", right: 3);
        var table = new RunTable([RunData.Load(run)], []).Each();
        foreach (int width in (int[])[60, 80, 120, 200])
        {
            string[] lines = table.Within(width).Write("text").TrimEnd().Split('\n');
            Assert.Matches("Robust +Attack +(Threat +)?Images", lines[0]);
            Assert.All(lines, line => Assert.InRange(line.Length, 1, width));
        }
    }

    // Methods are compared at the same seed: of two methods with two seeds each, two pairs of four.
    [Fact]
    public void RunsOfDifferentSeedsAreNoPairs()
    {
        RunData[] runs = [.. from method in new[] { "pgd-at", "trades" } from seed in new[] { 1, 2 }
            select Measured(method, seed)];
        string page = ComparisonReport.Page(SharedEvaluation.Of(runs)),
            paired = page[page.IndexOf("<h2>Paired test", StringComparison.Ordinal)..];
        paired = paired[..paired.IndexOf("</section>", StringComparison.Ordinal)];
        Assert.Equal(2 * 2, paired.Split("<tr>").Length - 2); // Clean and PGD-20 of each
    }

    private RunData Measured(string method, int seed)
    {
        string run = MadeRun.Finished(_test, $"{method}-{seed}", $"method.name={method}", $"train.seed={seed}");
        Evaluate(run, "one", Path.Combine(run, "model.safetensors"), "x", right: 3);
        return RunData.Load(run);
    }

    private static void Evaluate(string run, string name, string model, string hash, int right, string attack = "pgd20",
        string eps = "8/255")
    {
        string folder = Directory.CreateDirectory(Path.Combine(run, "eval", name)).FullName;
        var manifest = new EvaluationManifest(EvaluationManifest.Layout, model, hash, "cifar10", "data", 10, "linf", [eps],
            [Numbers.TryReal(eps, out double length) ? length : double.NaN],
            [attack], [attack], [])
        { Architecture = "resnet18", Columns = [new ColumnPlan(0, attack, attack, 1, [])] };
        var report = new EvaluationReport(10, 10, [new ColumnResult(0, attack, attack, right, [])], [], []);
        File.WriteAllText(Path.Combine(folder, "manifest.json"), JsonSerializer.Serialize(manifest, RunJson.Format));
        File.WriteAllText(Path.Combine(folder, "result.json"), JsonSerializer.Serialize(report, RunJson.Format));
        File.WriteAllText(Path.Combine(folder, "ledger.jsonl"), "");
        File.SetLastWriteTimeUtc(Path.Combine(folder, "manifest.json"), DateTime.UtcNow.AddSeconds(1)); // after the network
    }
}
