using System.Xml.Linq;

namespace Rpat.Trainer.Report;

/// <summary>The bars of one colour, one in each group; a value that is not finite has no bar.</summary>
/// <param name="Intervals">Ends of an interval around each value, or null for none.</param>
internal sealed record BarSeries(string Name, IReadOnlyList<double> Values, IReadOnlyList<(double Low, double High)>? Intervals = null);

/// <summary>Groups of bars from zero, with whiskers if an interval is known.</summary>
internal static class SvgBarChart
{
    private const double Fill = 0.8, WidestBar = 60;

    /// <summary>Draws the chart.</summary>
    /// <param name="groups">Name of each group; at least one.</param>
    public static XElement Draw(ChartText text, IReadOnlyList<string> groups, IReadOnlyList<BarSeries> series)
    {
        var ends = series.SelectMany(s => s.Intervals ?? []).SelectMany(i => new[] { i.Low, i.High });
        var plot = new SvgPlot(text, Axis.Around(series.SelectMany(s => s.Values).Concat(ends), zero: true));
        double group = plot.XGroups(groups, text.X), bar = Math.Min(WidestBar, group * Fill / series.Count);
        for (int g = 0; g < groups.Count; g++)
        {
            int[] shown = [.. Enumerable.Range(0, series.Count).Where(s => double.IsFinite(series[s].Values[g]))];
            for (int i = 0; i < shown.Length; i++)
                Draw(plot, plot.Left + group * (g + 0.5) + bar * (i - shown.Length / 2.0), bar, series[shown[i]], shown[i], g, groups[g]);
        }
        return plot.Finish([.. series.Select((s, i) => (s.Name, Svg.ColourOf(i), false))
            .Where((_, i) => series[i].Values.Any(double.IsFinite))]);
    }

    private static void Draw(SvgPlot plot, double x, double width, BarSeries series, int number, int group, string name)
    {
        double value = series.Values[group], top = plot.Y(Math.Max(value, 0)), bottom = plot.Y(Math.Min(value, 0));
        string tip = FormattableString.Invariant($"{name}, {series.Name}: {value:G5}");
        plot.Add(Svg.Element("rect", ("x", x + 0.5), ("y", top), ("width", width - 1), ("height", bottom - top),
            ("class", $"fill {Svg.ColourOf(number)}")).WithTip(tip));
        if (series.Intervals is not { } intervals) return;
        var (low, high) = intervals[group];
        if (!double.IsFinite(low) || !double.IsFinite(high)) return;
        double middle = x + width / 2;
        plot.Add(Svg.Line(middle, plot.Y(low), middle, plot.Y(high), "whisker")
            .WithTip(FormattableString.Invariant($"{tip} ({low:G5} to {high:G5})")));
    }
}
