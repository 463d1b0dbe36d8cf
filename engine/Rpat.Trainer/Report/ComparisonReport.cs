namespace Rpat.Trainer.Report;

/// <summary>The report that compares several runs.</summary>
internal sealed class ComparisonReport
{
    private const double ChartWidth = 460;
    private const int MostCurves = 100;

    // Keys that differ between any two runs without being informative.
    private static readonly string[] _incidental = ["run.", "log.", "recipe.", "checkpoint.", "data.dir"];

    private readonly IReadOnlyList<RunData> _runs;
    private readonly string[] _names;

    private ComparisonReport(IReadOnlyList<RunData> runs)
    {
        _runs = runs;
        _names = [.. runs.Select(run => run.Setting("run.name") is { Length: > 0 } name ? name : run.Name)];
        if (_names.Distinct().Count() < _names.Length) _names = [.. runs.Select(run => run.Name)];
        if (_names.Distinct().Count() < _names.Length)
            _names = [.. runs.Select((run, i) => FormattableString.Invariant($"{run.Name} ({i + 1})"))];
    }

    /// <summary>The page.</summary>
    public static string Page(IReadOnlyList<RunData> runs)
    {
        var report = new ComparisonReport(runs);
        return Html.Page($"{runs.Count} runs: RPAT report", report.Body());
    }

    private string Body() => string.Concat(
        $"<header>\n<h1>{_runs.Count} runs compared</h1>\n<p class=\"soft\">{Html.Text(string.Join(" · ", _names))}</p>\n</header>\n",
        Html.Section("Read this first", Warnings()), Html.Section("Results", Results()),
        Html.Section("Differences in settings", Differences()),
        Html.Section("Curves", Curves()), Html.Section("Adversarial examples", Pictures()));

    private string Warnings()
    {
        List<string> sentences = [];
        if (_runs.Select(run => run.Robust?.Attack).Distinct().Count() > 1)
            sentences.Add("The runs were measured by different attacks: their robust accuracies cannot be compared.");
        if (_runs.Select(run => run.Robust?.Images).Distinct().Count() > 1)
            sentences.Add("The runs were measured on different numbers of images.");
        foreach (var same in _runs.SelectMany((run, i) => run.Warnings.Select(w => (Name: _names[i], Sentence: w)))
            .GroupBy(pair => pair.Sentence))
            sentences.Add($"{(same.Count() == _runs.Count ? "Every run" : string.Join(", ", same.Select(pair => pair.Name)))}: {same.Key}");
        return sentences.Count == 0 ? ""
            : $"<ul class=\"warn\">\n{string.Concat(sentences.Select(s => $"<li>{Html.Text(s)}</li>\n"))}</ul>\n";
    }

    private string Results()
    {
        string table = Html.Table(
            ["run", "Clean %", "95 % interval", "robust %", "95 % interval", "attack", "Mean", "NRR", "images", "time"],
            _runs.Select((run, i) => ("", Row(_names[i], run))));
        int[] measured = [.. Enumerable.Range(0, _runs.Count).Where(i => _runs[i].Clean is not null)];
        if (measured.Length == 0) return table;
        BarSeries[] bars = [Bars("Clean", measured, run => run.Clean), Bars("robust", measured, run => run.Robust)];
        var chart = SvgBarChart.Draw(new ChartText("Accuracy with 95 % intervals", "", "% of images", ChartWidth),
            [.. measured.Select(i => Short(_names[i]))], bars);
        return $"{table}<div class=\"grid\" style=\"margin-top:.9rem\">\n<figure>{Svg.Inline(chart)}</figure>\n</div>\n";
    }

    private static IReadOnlyList<string> Row(string name, RunData run) =>
    [
        name, Percent(run.Clean), Interval(run.Clean), Percent(run.Robust), Interval(run.Robust),
        run.Robust is { } r ? $"{r.Attack}, {r.Threat}" : "",
        Score(run, RobustnessScores.Mean), Score(run, RobustnessScores.Nrr),
        (run.Robust ?? run.Clean)?.Images.ToString(CultureInfo.InvariantCulture) ?? "", RunReport.Duration(run),
    ];

    private static string Percent(MeasuredAccuracy? a) => a is null ? "–" : RunReport.Percent(a.Value);

    private static string Interval(MeasuredAccuracy? a) =>
        a is null ? "" : $"{RunReport.Percent(a.Interval.Low)} to {RunReport.Percent(a.Interval.High)}";

    private static string Score(RunData run, Func<double, double, double> score) =>
        run is { Clean: { } clean, Robust: { } robust } ? RunReport.Percent(score(clean.Value, robust.Value)) : "–";

    private BarSeries Bars(string name, int[] runs, Func<RunData, MeasuredAccuracy?> of) => new(
        name, [.. runs.Select(i => 100 * (of(_runs[i])?.Value ?? double.NaN))],
        [.. runs.Select(i => of(_runs[i]) is { } a ? (100 * a.Interval.Low, 100 * a.Interval.High) : (double.NaN, double.NaN))]);

    private static string Short(string name) => name.Length <= 24 ? name : $"{name[..11]}…{name[^12..]}";

    private string Differences()
    {
        string[] keys = [.. _runs.SelectMany(run => run.Settings.Select(pair => pair.Key)).Distinct()
            .Where(key => !_incidental.Any(prefix => key.StartsWith(prefix, StringComparison.Ordinal))
            && _runs.Select(run => run.Setting(key)).Distinct().Count() > 1)];
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
            LineSeries[] series = [.. _runs.Select((run, i) => new LineSeries(Short(_names[i]), run.Curve(split, name)))];
            if (series.All(s => s.Points.SequenceEqual(series[0].Points))) continue; // the same in all runs, such as the learning rate
            html.Append(
                $"<figure>{Svg.Inline(SvgLineChart.Draw(new ChartText(CurveNames.Of(split, name), "epoch", "", ChartWidth), series))}</figure>\n");
        }

        return html.Length == 0 ? "" : $"<div class=\"grid\">\n{html}</div>\n";
    }

    private string Pictures() =>
        string.Concat(_runs.SelectMany((run, i) =>
        run.Pictures.Select(p => Html.Picture(p, $"{_names[i]}: held-out images, adversarial versions, difference"))));
}
