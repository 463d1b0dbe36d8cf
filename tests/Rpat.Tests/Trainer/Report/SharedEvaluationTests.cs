using Rpat.Tests.Trainer.Runs;
using Rpat.Trainer.Report;

namespace Rpat.Tests.Trainer.Report;

/// <summary>Which evaluation counts when runs are compared, and which runs a table joins.</summary>
public sealed class SharedEvaluationTests
{
    private const string End = RunData.EndOfRun;

    // Each measured at its end on 100 images; all by two attacks on 60; AutoAttack of some on fewer.
    private static RunData[] Four =>
    [
        Run("a", "pgd-at", 1, [(End, 100, "PGD-20", 50), ("both", 60, "PGD-20", 30), ("both", 60, "cw", 29),
            ("aa", 30, "AA", 9)]),
        Run("b", "pgd-at", 2, [(End, 100, "PGD-20", 52), ("both", 60, "PGD-20", 31), ("both", 60, "cw", 30)]),
        Run("c", "trades", 1, [(End, 100, "PGD-20", 91), ("both", 60, "PGD-20", 40), ("both", 60, "cw", 39),
            ("aa", 20, "AA", 8)]),
        Run("d", "trades", 2, [(End, 100, "PGD-20", 90), ("both", 60, "PGD-20", 41), ("both", 60, "cw", 40)]),
    ];

    [Fact]
    public void WhatAllRunsShareCountsAndNothingThatTheyShareVanishes()
    {
        var compared = SharedEvaluation.Of(Four);
        Assert.All(compared.Runs, run => Assert.Equal((100, "PGD-20"), (run.Clean!.Images, run.Robust!.Attack)));
        Assert.Equal(["cw"], compared.More.Select(a => a.Attack));
        Assert.Equal(["AA on 30 images of cifar10, linf eps 8/255 (1 of 4 runs)",
            "AA on 20 images of cifar10, linf eps 8/255 (1 of 4 runs)"],
            compared.LeftOut.Where(line => line.StartsWith("AA", StringComparison.Ordinal)));
        string csv = new PaperTable(compared).Write("csv");
        Assert.StartsWith("Method,Runs,Clean,Clean sd,PGD-20,PGD-20 sd,\"cw, 60 images\",", csv, StringComparison.Ordinal);
        Assert.Contains("\nTRADES,2,95.00,0.00,90.50,0.71,65.83,1.18,", csv, StringComparison.Ordinal);
    }

    [Fact]
    public void ARunWithoutACleanAccuracyIsARowOfWhatThereIs()
    {
        var runs = Four.Select(run => run with { Accuracies = [.. run.Accuracies.Where(a => !a.IsClean)] }).Take(1).ToList();
        string csv = new PaperTable(SharedEvaluation.Of(runs)).Write("csv");
        Assert.StartsWith("Method,Clean,AA,", csv, StringComparison.Ordinal);
        Assert.Contains("\nPGD-AT,,30.00,", csv, StringComparison.Ordinal);
        var grouped = new RunTable(SharedEvaluation.Of(runs).Runs, []).Grouped([("method", "method.name")], apart: false);
        Assert.Contains("30.00", Assert.Single(grouped.Rows));
    }

    [Theory]
    [InlineData("both", 60, "cw")]
    [InlineData("60", 60, "cw")]
    [InlineData("end", 100, "PGD-20")]
    public void AnEvaluationIsChosenByItsNameOrImages(string wanted, int images, string attack)
    {
        var compared = SharedEvaluation.Of(Four, wanted);
        Assert.All(compared.Runs, run => Assert.Equal((images, attack), (run.Clean!.Images, run.Robust!.Attack)));
        Assert.Empty(compared.More);
    }

    [Fact]
    public void MeanAndNrrOfDifferentAttacksAreSaidToBeSo()
    {
        RunData[] runs = [Run("a", "pgd-at", 1, [(End, 10, "AA", 3)]), Run("b", "trades", 1, [(End, 10, "PGD-20", 5)])];
        Assert.Contains("strongest attack of each row (AA, PGD-20)", new PaperTable(SharedEvaluation.Of(runs)).Write("markdown"));
    }

    [Fact]
    public void AnEvaluationThatNoRunHasIsRefused() => Assert.Contains("no run has an evaluation 'bot': did you mean 'both'?",
        Assert.Throws<UsageException>(() => SharedEvaluation.Of(Four, "bot")).Message, StringComparison.Ordinal);

    // AutoAttack that all ran decides, although it was run on fewer images.
    [Fact]
    public void AutoAttackDecidesWhereAllRanIt()
    {
        var runs = Four.Select(run => run with
        { Accuracies = [.. run.Accuracies, .. Measured("aa+", 40, "AA", 12), .. Measured("cw+", 40, "cw", 11)] }).ToList();
        runs[0] = runs[0] with { Accuracies = [.. runs[0].Accuracies, .. Measured("alone", 40, "square", 5)] };
        var compared = SharedEvaluation.Of(runs);
        Assert.All(compared.Runs, run => Assert.Equal((40, "cw"), (run.Robust!.Images, run.Robust.Attack)));
        Assert.Contains("12.50 (1 of 2 runs)", new PaperTable(compared).Write("md"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("linf eps 8/255", false)]
    [InlineData("l2 eps 8", true)]
    public void FiguresOfOtherThreatsSayTheirThreat(string threat, bool isKept)
    {
        RunData[] runs = [Four[1], Four[2] with { Accuracies = [.. Measured("one", 100, "PGD-20", 0, threat)] }];
        var table = new RunTable(runs, []).Each();
        Assert.Equal(threat, table.Rows[1][table.Head.ToList().IndexOf("Threat")]);
        Assert.Equal(isKept, table.Within(56).Head.Contains("Threat"));
    }

    [Fact]
    public void GroupsRiseAndEverySettingThatTheyMixIsNamed()
    {
        RunData Row(string name, string method, string weight, params (string, string)[] more) =>
            Run(name, method, 1, [(End, 10, "PGD-20", 5)], [("method.rpat.weight", weight), .. more]);
        RunData[] runs =
        [
            Row("a", "trades+rpat", "10"), Row("b", "trades+rpat", "0.5"), Row("c", "trades+rpat", "9"), Row("d", "mart", ""),
            Row("e", "mart", "", ("train.epochs", "2"), ("train.batch", "64"), ("model.width", "8"), ("log.progress", "none")),
        ];
        var groups = new RunTable(runs, []).Groups([("method", "method.name"), ("lambda", "method.rpat.weight")]).ToList();
        Assert.Equal(["trades+rpat 0.5", "trades+rpat 9", "trades+rpat 10", "mart "], groups.Select(g => string.Join(' ', g.Values)));
        Assert.Equal(["model.width", "train.batch", "train.epochs"], RunLabels.Mixed(groups[^1].Runs).Order());
        Assert.Empty(RunLabels.Mixed([runs[0]]));
    }

    [Fact]
    public void OtherNormsAreNoOtherAttacks()
    {
        var run = Four[1] with
        { Accuracies = [.. Four[1].Accuracies, .. Measured("l2", 100, "PGD-20", 1, "l2 eps 128/255"), .. Measured("more", 100, "cw", 49)] };
        Assert.Equal(("cw", 49), (run.Robust!.Attack, run.Robust.Correct));
    }

    [Fact]
    public void ARowJoinsSeedsAloneAndARepeatedOneCountsOnce()
    {
        RunData[] runs =
        [
            .. from weight in new[] { "0", "1", "10" } from seed in new[] { 1, 2 }
               select Run($"w{weight}s{seed}", "pgd-at+rpat", seed, [(End, 10, "PGD-20", 5)], ("method.rpat.weight", weight)),
        ];
        string table = new PaperTable(SharedEvaluation.Of(runs)).Write("md");
        foreach (string weight in new[] { "0 ", "1 ", "10" })
            Assert.Contains($"| PGD-AT + RPAT, weight {weight} | 2    |", table, StringComparison.Ordinal);
        Assert.Contains("seeds 1, 2;", table, StringComparison.Ordinal);
        List<string> notes = [];
        Assert.Equal(6, RunLabels.Once(runs, notes.Add).Count);
        Assert.Equal(6, RunLabels.Once([.. runs, runs[0] with { }, runs[1] with { Name = "copy" }], notes.Add).Count);
        Assert.Equal(["'w0s1' counts once with 'w0s1': equal settings and seed.",
            "'w0s2' counts once with 'copy': equal settings and seed."], notes);
    }

    // A sweep over methods and weights trains a method without the term once for each weight.
    [Fact]
    public void SettingsOfATermTellNoRunsApartThatLackIt()
    {
        using var test = new TestHost();
        RunData[] Runs(string method) => [.. new[] { "1", "10" }.Select(weight => RunData.Load(MadeRun.Finished(test, $"{method}-{weight}",
            $"method.name={method}", $"method.rpat.weight={weight}")))];
        Assert.Equal(["pgd-at, 20261121-0238-pgd-at-1", "pgd-at, 20261121-0238-pgd-at-10"], RunLabels.Of(Runs("pgd-at")));
        Assert.Equal(["pgd-at+rpat, weight 1", "pgd-at+rpat, weight 10"], RunLabels.Of(Runs("pgd-at+rpat")));
        Assert.Single(RunLabels.Once(Runs("trades"), _ => { }));
        RunData[] mixed = [.. Runs("pgd-at+rpat"), Runs("pgd-at")[0], Seeded("mart", 1), Seeded("mart", 2)];
        Assert.Equal(["pgd-at+rpat, weight 1, seed 1", "pgd-at+rpat, weight 10, seed 1", "pgd-at, seed 1", "mart, seed 1", "mart, seed 2"],
            RunLabels.Of(mixed));

        RunData Seeded(string method, int seed) =>
            RunData.Load(MadeRun.Finished(test, $"{method}-{seed}", $"method.name={method}", $"train.seed={seed}"));
    }

    [Fact]
    public void AWarningOfSeveralEvaluationsIsGivenOnce()
    {
        EvaluationWarning Few(int n) => new("few-points", $"{n} images are few: mind the interval.");
        EvaluationWarning noise = new("noise", "Random noise alone changes much.");
        Assert.Equal(["a, b, c: 20, 50 images are few: mind the interval.", "a, c: Random noise alone changes much."],
            RunWarnings.Joined([("a", Few(20)), ("a", noise), ("b", Few(50)), ("c", Few(20)), ("c", noise)]));
        Assert.Equal(["a, b: 20 images are few: mind the interval."], RunWarnings.Joined([("a", Few(20)), ("b", Few(20))]));
    }

    private static RunData Run(string name, string method, int seed, (string Source, int Images, string Attack, int Right)[] measured,
        params (string Key, string Value)[] more)
    {
        (string, string)[] settings = [("method.name", method), ("data.name", "cifar10"), ("train.seed", $"{seed}"),
            ("run.name", name), .. more];
        return new RunData(name, name, null, [.. settings.Select(pair => KeyValuePair.Create(pair.Item1, pair.Item2))], [],
            [.. measured.SelectMany(m => Measured(m.Source, m.Images, m.Attack, m.Right))], [], [], []);
    }

    private static MeasuredAccuracy[] Measured(string source, int images, string attack, int right, string threat = "linf eps 8/255")
    {
        string conditions = $"{images} images of cifar10, {threat}";
        return [new("Clean", "", images * 95 / 100, images, source) { Conditions = conditions },
            new(attack, threat, right, images, source) { Conditions = conditions }];
    }
}
