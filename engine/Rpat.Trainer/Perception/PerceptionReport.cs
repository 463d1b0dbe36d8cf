using System.Net;
using System.Xml.Linq;
using Rpat.Trainer.Report;

namespace Rpat.Trainer.Perception;

/// <summary>The paper's motivation figures for the measurements, as one self-contained HTML file.</summary>
internal static class PerceptionReport
{
    private static readonly PerceptionGroup[] _outcomes = [.. PerceptionGroup.All.Where(g => g.Success is not null && !g.CleanCorrect)];

    /// <summary>Writes the page, as one step.</summary>
    public static void Write(string path, IReadOnlyList<PerceptionRun> runs)
    {
        var page = new StringBuilder();
        page.Append(
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">")
            .Append("<title>Perception along perturbations</title><style>").Append(Svg.Css).Append(PageCss)
            .Append("</style></head><body>\n")
            .Append("<h1>Perception along perturbations</h1>\n<p>Success: the perturbed image is classified correctly. Failure: it is "
                + "not. ")
            .Append("With robust perception the curves follow the diagonal and the residual is zero.</p>\n");
        foreach (var same in runs.GroupBy(run => run.Samples.Options.Name)) Section(page, same.Key, [.. same]);
        page.Append("<h2>Numbers</h2>\n<pre>").Append(WebUtility.HtmlEncode(Table(runs))).Append("</pre>\n</body></html>\n");
        AtomicFile.WriteText(path, page.ToString());
    }

    private const string PageCss =
        "body{font-family:system-ui,sans-serif;margin:2rem auto;max-width:96rem;padding:0 1rem;background:#fff;color:#1b1b1b}"
        + ".row{display:flex;flex-wrap:wrap;gap:1rem}.row>svg{flex:1 1 28rem}pre{overflow-x:auto}@media "
            + "(prefers-color-scheme:dark){body{background:#181818;color:#eee}}";

    private static void Section(StringBuilder page, string name, IReadOnlyList<PerceptionRun> runs)
    {
        page.Append("<h2>").Append(WebUtility.HtmlEncode(name)).Append("</h2>\n");
        Row(page, [Bars(runs, 0), Bars(runs, 1), Errors(runs)]);
        foreach (var run in runs) Row(page, [Histogram(run), Curves(run), Residuals(run), Accuracy(run)]);
    }

    private static void Row(StringBuilder page, IReadOnlyList<XElement> charts) =>
        page.Append("<div class=\"row\">\n").AppendJoin('\n', charts.Select(Svg.Inline)).Append("\n</div>\n");

    private static XElement Bars(IReadOnlyList<PerceptionRun> runs, int space) => SvgBarChart.Draw(
        new ChartText($"Change of the {runs[0].Spaces[space].Name} from x to x′", "", "mean D_full"),
        [.. runs.Select(run => run.Model)],
        [.. _outcomes.Select(group => new BarSeries(group.Name,
            [.. runs.Select(run => run.Samples.Summarize(run.Spaces[space].Space, group).Full)]))]);

    private static XElement Errors(IReadOnlyList<PerceptionRun> runs) => SvgBarChart.Draw(
        new ChartText("Error rates", "", "percent"), [.. runs.Select(run => run.Model)],
        [
            new BarSeries("clean", [.. runs.Select(run => 100 * run.Samples.CleanError)]),
            new BarSeries("perturbed", [.. runs.Select(run => 100 * run.Samples.PerturbedError)]),
        ]);

    private static XElement Histogram(PerceptionRun run) => SvgHistogram.Draw(
        new ChartText($"{run.Model}: D_full of the logits", "D_full", "share of the group"),
        [.. _outcomes.Select(group => new HistogramSeries(group.Name,
            [.. run.Samples.Members(group).Select(i => run.Samples.Logits.Full[i])]))]);

    private static XElement Curves(PerceptionRun run) => Along(run, "distance of the logits from z(x)", summary => summary.Distance,
        [new LineSeries("robust perception", [(0, 0), (1, 1)], Dashed: true)]);

    private static XElement Residuals(PerceptionRun run) =>
        Along(run, "normalised residual of the logits", summary => summary.Residual, []);

    private static XElement Along(PerceptionRun run, string what, Func<PerceptionSummary, IReadOnlyList<double>> of,
        IEnumerable<LineSeries> reference) => SvgLineChart.Draw(
        new ChartText($"{run.Model}: {what}", "alpha", "share of the whole"),
        [.. _outcomes.Select(group => new LineSeries(group.Name, Points(run, of(run.Samples.Summarize(run.Samples.Logits, group))))),
            .. reference]);

    private static XElement Accuracy(PerceptionRun run) => SvgLineChart.Draw(
        new ChartText($"{run.Model}: prediction and perception along the perturbation", "alpha", "share"),
        [
            new LineSeries("accuracy", Points(run, run.Samples.AccuracyAlong)),
            new LineSeries("distance of the logits",
                Points(run, run.Samples.Summarize(run.Samples.Logits, PerceptionGroup.All[0]).Distance)),
        ], Axis.Between(0, 1));

    private static List<(double X, double Y)> Points(PerceptionRun run, IReadOnlyList<double> values) =>
        [.. run.Samples.Options.Alphas.Zip(values)];

    private static string Table(IReadOnlyList<PerceptionRun> runs)
    {
        var text = new StringWriter { NewLine = "\n" };
        PerceptionTable.Write(runs, text);
        return text.ToString();
    }
}
