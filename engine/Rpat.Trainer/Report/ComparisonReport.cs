namespace Rpat.Trainer.Report;

/// <summary>The report that compares several runs.</summary>
internal sealed class ComparisonReport
{
    private const int MostCurves = 100, MostPaired = 4, MostLetters = 48;

    private readonly IReadOnlyList<RunData> _runs;
    private readonly string[] _names;

    private readonly SharedEvaluation _compared;

    private ComparisonReport(SharedEvaluation compared) =>
        (_compared, _runs, _names) = (compared, compared.Runs, RunLabels.Of(compared.Runs));

    /// <summary>The page.</summary>
    public static string Page(SharedEvaluation compared) =>
        Html.Page($"{compared.Runs.Count} runs: RPAT report", new ComparisonReport(compared).Body());

    private string Body() => string.Concat(
        $"<header>\n<h1>{_runs.Count} runs compared</h1>\n<p class=\"soft\">{Html.Text(Folders())}</p>\n</header>\n",
        Html.Section("Read this first", Html.Warnings([.. Warnings()])), Html.Section("Results", Results()),
        Html.Section("Corruptions", Corrupted()), Html.Section("Paired test", Paired()),
        Html.Section("Differences in settings", Differences()),
        Html.Section("Curves", Curves()), Html.Section("Adversarial examples", Pictures()));

    private string Folders() =>
        string.Join(" · ", _names.Zip(_runs, (name, run) => name.Contains(run.Name) ? name : $"{name} ({run.Name})"));

    private IEnumerable<string> Warnings()
    {
        var measured = _runs.Select(run => run.Robust).OfType<MeasuredAccuracy>().ToList();
        if (measured.Select(robust => robust.Attack).Distinct().Count() > 1)
            yield return "The runs were measured by different attacks: their robust accuracies cannot be compared.";
        if (measured.Select(robust => robust.Threat).Distinct().Count() > 1)
            yield return "The runs were measured under different threats: their robust accuracies cannot be compared.";
        if (measured.Select(robust => robust.Images).Distinct().Count() > 1)
            yield return "The runs were measured on different numbers of images.";
        foreach (var same in _runs.SelectMany((run, i) => run.Warnings.Select(w => (Name: _names[i], Sentence: w)))
            .GroupBy(pair => pair.Sentence))
            yield return $"{(same.Count() == _runs.Count ? "Every run" : string.Join(", ", same.Select(pair => pair.Name)))}: {same.Key}";
        var apart = from run in _runs
                    from a in run.Counting
                    where !a.IsClean && !run.Deciding.Any(counted => (counted.Attack, counted.Threat) == (a.Attack, a.Threat))
                    select $"{a.Attack} on {a.Conditions} ({run.Name})";
        foreach (string column in _compared.More.Select(a => $"{a.Attack} on {a.Conditions} (all runs)").Concat(apart)
            .Concat(_compared.LeftOut))
            yield return $"Not among the results below: {column}; 'rpat report --eval' chooses another evaluation.";
    }

    private string Results()
    {
        string table = Html.Table(
            ["Run", "Clean, %", "Robust, %", "Attack", "Mean", "NRR", "Images", "Time"],
            _runs.Select((run, i) => ("", Row(_names[i], run))));
        int[] measured = [.. Enumerable.Range(0, _runs.Count).Where(i => _runs[i].AnyResult is not null)];
        if (measured.Length == 0) return table;
        BarSeries[] bars = [Bars("Clean", measured, run => run.Clean), Bars("Robust", measured, run => run.Robust)];
        var chart = SvgBarChart.Draw(new ChartText("Accuracy with 95 % intervals", "", "% of images"),
            [.. measured.Select(i => _names[i])], bars);
        return $"{table}<div class=\"grid\" style=\"margin-top:.9rem\">\n<figure>{Svg.Inline(chart)}</figure>\n</div>\n";
    }

    private static IReadOnlyList<string> Row(string name, RunData run) =>
    [
        name, Percent(run.Clean), Percent(run.Robust), run.Robust is { } r ? $"{r.Attack}, {r.Threat}" : "",
        Score(run, RobustnessScores.Mean), Score(run, RobustnessScores.Nrr),
        (run.Robust ?? run.Clean)?.Images.ToString(CultureInfo.InvariantCulture) ?? "", RunReport.Duration(run),
    ];

    private static string Percent(MeasuredAccuracy? a) =>
        a is null ? "–" : $"{RunReport.Percent(a.Value)} ({RunReport.Percent(a.Interval.Low)} to {RunReport.Percent(a.Interval.High)})";

    private static string Score(RunData run, Func<double, double, double> score) =>
        run is { Clean: { } clean, Robust: { } robust } ? RunReport.Percent(score(clean.Value, robust.Value)) : "–";

    private BarSeries Bars(string name, int[] runs, Func<RunData, MeasuredAccuracy?> of) => new(
        name, [.. runs.Select(i => 100 * (of(_runs[i])?.Value ?? double.NaN))],
        [.. runs.Select(i => of(_runs[i]) is { } a ? (100 * a.Interval.Low, 100 * a.Interval.High) : (double.NaN, double.NaN))]);

    // Evaluations of the same corruptions of as many images.
    private string Corrupted()
    {
        var rows = _runs.SelectMany((run, i) => run.Corrupted.Select(one => (Run: i, one.Report))).GroupBy(one => (one.Report.Title, one.Report.Part))
            .SelectMany(same => same.DistinctBy(one => one.Run)).ToList();
        return rows.Count == 0 ? "" : Html.Table(["Run", "Mean accuracy, %", "Measured on"], rows.Select(row =>
            ("", (IReadOnlyList<string>)[_names[row.Run], RunReport.Percent(row.Report.Mean),
                $"{row.Report.Title} each{(row.Report.Part.Length > 0 ? $": {row.Report.Part}" : "")}"])));
    }

    // Two methods are compared at the same seed, where runs share seeds.
    private bool IsPair(int first, int second)
    {
        string Seed(int run) => _runs[run].Setting(RunLabels.Seed);
        bool shares = Enumerable.Range(0, _runs.Count).Where(run => Seed(run).Length > 0).GroupBy(Seed).Any(same => same.Count() > 1);
        return !shares || Seed(first).Length == 0 || Seed(second).Length == 0 || Seed(first) == Seed(second);
    }

    // All pairs of a few runs; of more, each with the first.
    private string Paired()
    {
        var outcomes = _runs.Select(run => ImageOutcomes.Of(run.Folder)).ToList();
        var rows = (from first in Enumerable.Range(0, _runs.Count <= MostPaired ? _runs.Count : 1)
                    from second in Enumerable.Range(first + 1, _runs.Count - first - 1)
                    where IsPair(first, second)
                    from key in outcomes[first].Keys.Where(outcomes[second].ContainsKey)
                    select (first, second, key.Column, Test: PairedTest.Of(outcomes[first][key], outcomes[second][key]))).ToList();
        if (rows.Count == 0) return "<p>No two runs were evaluated on the same images by the same attack: run the same 'rpat eval' on each."
            + "</p>\n";
        string[] threats = [.. rows.Select(row => ImageOutcomes.Parts(row.Column).Threat).Where(threat => threat.Length > 0).Distinct()];
        return Html.Table(
            ["First", "Second", "Attack", "Images", "Only first right", "Only second right", "Difference (95 %), points", "p"],
            rows.Select(row => ("", Row(row.first, row.second, row.Column, threats.Length > 1, row.Test))))
            + "<p class=\"soft\">The same images, one by one: McNemar's exact test, two-sided, and the interval of Bonett and Price for "
                + "the "
            + FormattableString.Invariant($"difference of accuracies. p is not corrected for the {rows.Count} tests. ")
            + (_runs.Count > MostPaired ? FormattableString.Invariant($"Of more than {MostPaired} runs each is tested against the first. ") : "")
            + "It is about these networks: a difference between methods takes several seeds."
            + $"{(threats is [var only] ? $" All attacks: {Html.Text(only)}." : "")}</p>\n";
    }

    private IReadOnlyList<string> Row(int first, int second, string column, bool several, PairedTest test)
    {
        var (attack, threat) = ImageOutcomes.Parts(column);
        return
        [
            _names[first], _names[second], several && threat.Length > 0 ? $"{attack}, {threat}" : attack, $"{test.Images}",
            $"{test.OnlyFirst}", $"{test.OnlySecond}", $"{PairedTest.Points(test.Difference)} ({PairedTest.Points(test.Interval)})",
            test.PText,
        ];
    }

    private static string Short(string name) => name.Length <= MostLetters ? name : $"{name[..(MostLetters - 1)]}…";

    private string Differences()
    {
        string[] keys = [.. RunLabels.Differing(_runs)];
        return keys.Length == 0
            ? "<p>All settings are the same.</p>\n"
            : Html.Table(["setting", .. _names], keys.Select(
            key => ("", (IReadOnlyList<string>)[key, .. _runs.Select(run => run.Setting(key))])));
    }

    private string Curves()
    {
        var metrics = _runs.SelectMany(run => run.Curves.Keys).Distinct().Take(MostCurves);
        var html = new StringBuilder();
        foreach (var (split, name) in metrics)
        {
            double scale = CurveNames.IsAccuracy(name) ? 100 : 1;
            LineSeries[] series = [.. _runs.Select((run, i) => new LineSeries(Short(_names[i]),
                [.. run.Curve(split, name).Select(p => (p.X, scale * p.Y))]))];
            if (series.All(s => s.Points.SequenceEqual(series[0].Points))) continue; // the same in all runs, such as the learning rate
            string title = CurveNames.Of(split, name);
            if (series.Where(s => s.Points.Count > 0).ToList() is [var only]) title = $"{title}: {only.Name}";
            var text = new ChartText(title, "epoch", scale > 1 ? "% of images" : "");
            html.Append($"<figure>{Svg.Inline(SvgLineChart.Draw(text, series))}</figure>\n");
        }

        return html.Length == 0 ? "" : $"<div class=\"grid\">\n{html}</div>\n";
    }

    private string Pictures() =>
        string.Concat(_runs.SelectMany((run, i) =>
        run.Pictures.Select(p => Html.Picture(p, $"{_names[i]}: held-out images, adversarial versions, difference"))));
}
