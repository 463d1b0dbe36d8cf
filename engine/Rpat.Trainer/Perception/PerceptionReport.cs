using System.Xml.Linq;
using Rpat.Trainer.Report;

namespace Rpat.Trainer.Perception;

/// <summary>The paper's motivation figures for the measurements, as one self-contained HTML file.</summary>
internal static class PerceptionReport
{

    private static readonly PerceptionGroup[] _outcomes = [.. PerceptionGroup.All.Where(g => g.Success is not null && !g.CleanCorrect)];

    /// <summary>Writes the page, as one step.</summary>
    public static void Write(string path, IReadOnlyList<PerceptionRun> runs) =>
        AtomicFile.WriteText(path, Html.Page("Perception along perturbations", string.Concat(
            "<header>\n<h1>Perception along perturbations</h1>\n<p class=\"soft\">",
            Html.Text(string.Join(" · ", runs.Select(run => run.Model).Distinct())), "</p>\n</header>\n",
            "<p>Success: the perturbed image is classified correctly. Failure: it is not. With robust perception the curves follow the "
                + "diagonal and the residual is zero.</p>\n",
            string.Concat(runs.GroupBy(run => run.Samples.Options.Name).Select(same =>
                Html.Section(AttackTitle.Of(same.Key), Charts([.. same])))),
            Html.Section("Numbers", string.Concat(runs.Select(Numbers))))));

    private static string Charts(IReadOnlyList<PerceptionRun> runs)
    {
        bool errs = runs.Any(run => run.Samples.CleanError > 0 || run.Samples.PerturbedError > 0);
        return Grid([Bars(runs, 0), Bars(runs, 1), .. errs ? [Errors(runs)] : Array.Empty<XElement>()])
            + (errs ? "" : "<p>No image is misclassified, neither clean nor perturbed.</p>\n")
            + string.Concat(runs.Select(run => Grid([Histogram(run), Curves(run), Residuals(run), Accuracy(run)])));
    }

    private static string Grid(IEnumerable<XElement> charts) =>
        $"<div class=\"grid\" style=\"margin-bottom:.9rem\">\n{string.Concat(charts.Select(chart => $"<figure>{Svg.Inline(chart)}</figure>\n"))}</div>\n";

    private static string Numbers(PerceptionRun run) =>
        $"<p>{Html.Text(PerceptionTable.Title(run))}</p>\n{Html.Table(PerceptionTable.Head, PerceptionTable.Rows(run).Select(row => ("", row)))}";

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
}
