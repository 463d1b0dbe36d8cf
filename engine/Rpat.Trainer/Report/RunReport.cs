using System.Xml.Linq;
using Rpat.Trainer.Evaluation;
using Rpat.Trainer.View;

namespace Rpat.Trainer.Report;

/// <summary>The report of one run, as a page.</summary>
internal sealed class RunReport
{
    private const int MostCurves = 24;
    private const double SmallShare = 0.05;

    private static readonly string _rateName = CurveNames.Of("train", "lr");

    private readonly RunData _run;

    private RunReport(RunData run) => _run = run;

    /// <summary>The page.</summary>
    public static string Page(RunData run) => Html.Page($"{run.Name}: RPAT report", new RunReport(run).Body());

    /// <summary>How long a run took, or nothing; of one that was resumed the pauses are not known.</summary>
    public static string Duration(RunData run) => run.Record is { End: { } end, Resumes: null or { Count: 0 } } record
        ? Format.Duration(end - record.Start) : "";

    /// <summary>A share as percentage with one digit more than a reader needs.</summary>
    public static string Percent(double share) => Format.Percent(share);

    private string Body() => string.Concat(
        Head(), Cards(), Html.Section("Read this first", Html.Warnings(_run.Warnings)), Html.Section("Results", Results()),
        Html.Section("Corruptions", Corrupted()), Html.Section("Curves", Curves()),
        Html.Section("Adversarial examples", Pictures()), Html.Section("Perception", Perception()),
        Html.Section("Environment", Environment()),
        Html.Section("Settings", Settings()), Html.Section("Again", Again()));

    private string Head()
    {
        string look = _run.Record?.Status == RunStatus.Finished ? "good" : "bad";
        string when = _run.Record is { } record ? record.Start.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture) : "";
        string[] facts = [_run.Setting("method.name"), _run.Setting("model.name"), _run.Setting("data.name"), Threat(),
            _run.Setting("train.seed") is { Length: > 0 } seed ? $"seed {seed}" : "", when, Duration(_run)];
        return $"<header>\n<h1>{Html.Text(_run.Name)} <span class=\"badge {look}\">{Html.Text(_run.Status)}</span></h1>\n"
            + $"<p class=\"soft\">{string.Join(" · ", facts.Where(f => f.Length > 0).Select(Html.Text))}</p>\n</header>\n";
    }

    private string Threat() => _run.Setting("attack.eps") is { Length: > 0 } eps ? $"{_run.Setting("attack.norm")} ε {eps}" : "";

    private string Cards()
    {
        if (_run.Clean is not { } clean) return "";
        List<(string Value, string Title, string Below)> cards = [Card(clean)];
        if (_run.Robust is { } robust)
        {
            cards.Add(Card(robust));
            cards.Add((Percent(RobustnessScores.Mean(clean.Value, robust.Value)), "Mean", Basis(robust, "mean")));
            cards.Add((Percent(RobustnessScores.Nrr(clean.Value, robust.Value)), "NRR", Basis(robust, "harmonic mean")));
        }

        return $"<div class=\"cards\">\n{string.Concat(cards.Select(c => $"<div class=\"card\"><span>{Html.Text(c.Title)}</span><b>{c.Value}</b><span>{Html.Text(c.Below)}</span></div>\n"))}</div>\n";
    }

    private static string Basis(MeasuredAccuracy robust, string how) =>
        FormattableString.Invariant($"{how} of Clean and {robust.Attack} on {robust.Images} images");

    private string Corrupted() => string.Concat(_run.Corrupted.Select(one => Html.Table(
        ["Corruption", .. Enumerable.Range(1, Corruptions.Severities).Select(s => $"Severity {s}"), "Mean"],
        one.Report.Rows().Select(row => ("", (IReadOnlyList<string>)[row.Name, .. row.Shares.Select(Percent)])))
        + $"<p class=\"soft\">Mean of {Html.Text(one.Report.Title)} each: {Percent(one.Report.Mean)} %; measured by "
            + $"{Html.Text(one.Name)}.</p>\n"));

    private static (string, string, string) Card(MeasuredAccuracy a) =>
        (Percent(a.Value), $"{a.Attack}, %", FormattableString.Invariant(
        $"{Interval(a)} on {a.Images} images{(a.IsClean ? "" : ", " + a.Threat)}"));

    private string Results() => _run.Accuracies.Count == 0 ? "" : Html.Table(
        ["Attack", "Accuracy, %", "95 % interval", "Images", "Threat", "Measured by"],
        _run.Accuracies.Select(a => (a.Depth > 0 ? "stage" : "", Cells(a))));

    private static IReadOnlyList<string> Cells(MeasuredAccuracy a) =>
        [a.Attack, Percent(a.Value), Interval(a), a.Images.ToString(CultureInfo.InvariantCulture), a.Threat, a.Source];

    private static string Interval(MeasuredAccuracy a) => $"{Percent(a.Interval.Low)} to {Percent(a.Interval.High)}";

    private string Curves()
    {
        XElement?[] charts =
        [
            Chart("Loss", "mean of an epoch", name => IsLoss(name) && !IsSmall(name)),
            Chart("Small loss terms", "mean of an epoch", name => IsLoss(name) && IsSmall(name)),
            Chart("Accuracy", "% of images", CurveNames.IsAccuracy, 100),
            Chart("Learning rate", "rate of the last step", name => name == "lr"),
        ];
        string figures = string.Concat(charts.OfType<XElement>().Select(chart => $"<figure>{Svg.Inline(chart)}</figure>\n"));
        return figures.Length == 0 ? "" : $"<div class=\"grid\">\n{figures}</div>\n";
    }

    private static bool IsLoss(string name) => !CurveNames.IsAccuracy(name) && name != "lr";

    // Beside the largest it would be a flat line at zero.
    private bool IsSmall(string name) => Highest(one => one == name) < SmallShare * Highest(IsLoss);

    private double Highest(Func<string, bool> wanted) => _run.Curves.Where(pair => wanted(pair.Key.Name))
        .SelectMany(pair => pair.Value).Select(point => Math.Abs(point.Y)).Where(double.IsFinite).DefaultIfEmpty(0).Max();

    private XElement? Chart(string title, string unit, Func<string, bool> wanted, double scale = 1)
    {
        var names = _run.Curves.Keys.Where(pair => wanted(pair.Name)).Take(MostCurves);
        LineSeries[] series = [.. names.Select(pair =>
            new LineSeries(CurveNames.Of(pair.Split, pair.Name), [.. _run.Curve(pair.Split, pair.Name).Select(p => (p.X, scale * p.Y))]))];
        // a loss of one term is that term
        if (series is [var first, var second] && first.Points.SequenceEqual(second.Points)) series = [first];
        if (series.Length == 0) return null;
        return SvgLineChart.Draw(new ChartText(series.Length == 1 && series[0].Name != _rateName ? $"{title}: {series[0].Name}" : title,
            "epoch", unit), series);
    }

    private string Pictures() => string.Concat(_run.Pictures.Select(p => Html.Picture(p,
        "Held-out images, their adversarial versions, and the difference (grey is none, black and white the largest allowed). Green "
            + "frame: still classified rightly; orange: fooled.")));

    private string Perception() => _run.Perception.Count == 0
        ? ""
        : $"<div class=\"grid\">\n{string.Concat(_run.Perception.SelectMany(p => p.Charts()).Select(chart => $"<figure>{Svg.Inline(chart)}</figure>\n"))}</div>\n";

    private string Environment()
    {
        if (_run.Record is not { } record) return "";
        List<(string, string)> rows =
        [
            ("program", record.Machine.Version), ("runtime", record.Machine.Runtime), ("system", record.Machine.Os),
            ("processor", record.Machine.Cpu),
            ("cores", record.Machine.Cores.ToString(CultureInfo.InvariantCulture)),
            ("memory", string.Create(CultureInfo.InvariantCulture, $"{record.Machine.MemoryMib / 1024.0:F1} GiB")),
            ("device", $"{record.Compute.Device}: {record.Compute.Kernels}"), ("started", Stamp(record.Start)),
            ("ended", record.End is { } end ? Stamp(end) : "not yet"),
        ];
        rows.AddRange((record.Resumes ?? []).Select(resume => ("resumed", Stamp(resume.Start))));
        return Html.Table([], rows.Select(row => ("", (IReadOnlyList<string>)[row.Item1, row.Item2])), "text");
    }

    private static string Stamp(DateTimeOffset time) => time.ToString("yyyy-MM-dd HH:mm:ss zzz", CultureInfo.InvariantCulture);

    private string Settings()
    {
        var html = new StringBuilder();
        foreach (var section in _run.Settings.GroupBy(pair => pair.Key.Split('.')[0]))
            html.Append(Html.Details(section.Key, Html.Table([], section.Select(
                pair => ("", (IReadOnlyList<string>)[pair.Key, pair.Value])), "text"), open: section.Key is "method" or "attack"));
        return html.ToString();
    }

    private string Again()
    {
        if (_run.Checkpoint is { } file)
            return $"<p>A checkpoint from elsewhere: how it was trained is not known here.</p>\n"
                + $"<pre>{Html.Text($"rpat eval {(OnnxModel.Is(file) ? "blackbox " : "")}{ShellWord.Quote(file)}\n")}</pre>\n";
        string command = _run.Record is { } record ? ShellWord.Line(record.CommandLine) : "";
        string begun = command.Length > 0 ? $"# as it was started\n{command}\n\n" : "";
        string again = ShellWord.Line(["train", "-c", _run.Name, .. RunPlugins.Options(_run.Folder)]);
        return $"<p>The resolved configuration in <code>config.yaml</code> repeats the run; equal seeds give equal weights.</p>\n"
            + $"<pre>{Html.Text($"{begun}# the same again\nrpat {again}\n")}</pre>\n";
    }
}
