using System.Xml.Linq;

namespace Rpat.Trainer.Report;

/// <summary>One line of a chart. Points that are not finite leave a gap.</summary>
internal sealed record LineSeries(string Name, IReadOnlyList<(double X, double Y)> Points, bool Dashed = false);

/// <summary>Lines over a numeric axis, with a point's values shown under the pointer.</summary>
internal static class SvgLineChart
{
    private const int MostTips = 60, MostPoints = 1000;

    /// <summary>Draws the chart.</summary>
    /// <param name="y">The vertical axis, or null for one around the values.</param>
    /// <param name="x">The horizontal axis, or null for the range of the values.</param>
    public static XElement Draw(ChartText text, IReadOnlyList<LineSeries> series, Axis? y = null, Axis? x = null)
    {
        series = [.. series.Select(one => one with { Points = Thinned(one.Points) })];
        var points = series.SelectMany(s => s.Points).Where(IsFinite).ToList();
        var plot = new SvgPlot(text, y ?? Axis.Around(points.Select(p => p.Y)));
        var place = plot.XAxis(x ?? Horizontal(points), text.X);
        for (int i = 0; i < series.Count; i++) Draw(plot, place, series[i], i);
        return plot.Finish([.. series.Select((s, i) => (s.Name, Svg.ColourOf(i), IsDashed(s, i)))
            .Where((_, i) => series[i].Points.Any(IsFinite))]);
    }

    // A screen shows at most one point per column: each interval keeps its lowest and highest point, and so every spike.
    private static IReadOnlyList<(double X, double Y)> Thinned(IReadOnlyList<(double X, double Y)> points)
    {
        if (points.Count <= MostPoints) return points;
        int stretch = (points.Count + MostPoints / 2 - 1) / (MostPoints / 2);
        var kept = Enumerable.Range(0, points.Count).Chunk(stretch).SelectMany(chunk => Extremes(points, chunk)).Append(points.Count - 1);
        return [.. kept.Distinct().Select(i => points[i])];
    }

    private static IEnumerable<int> Extremes(IReadOnlyList<(double X, double Y)> points, int[] stretch) =>
        new[] { stretch.MinBy(i => points[i].Y), stretch.MaxBy(i => points[i].Y) }.Distinct().Order();

    private static Axis Horizontal(List<(double X, double Y)> points)
    {
        var (low, high) = points.Count == 0 ? (0, 1) : (points.Min(p => p.X), points.Max(p => p.X));
        int intervals = points.All(p => double.IsInteger(p.X)) ? (int)Math.Min(8, high - low) : 8; // epochs are whole numbers
        return low < high ? Axis.Between(low, high, intervals) : new Axis(low - 1, low + 1, [low]);
    }

    private static void Draw(SvgPlot plot, Func<double, double> x, LineSeries series, int number)
    {
        var line = Svg.Element("path", ("d", Path(plot, x, series)), ("class", $"line stroke {Svg.ColourOf(number)}")).WithTip(series.Name);
        if (IsDashed(series, number)) line.SetAttributeValue("stroke-dasharray", "5 4");
        plot.Add(line);
        if (series.Dashed) return;
        int every = 1 + series.Points.Count / MostTips;
        foreach (var (px, py) in series.Points.Where((p, i) => IsFinite(p) && i % every == 0))
            plot.Add(Svg.Element("circle", ("cx", x(px)), ("cy", plot.Y(py)), ("r", 2.5), ("class", $"fill {Svg.ColourOf(number)}"))
                .WithTip($"{series.Name}: {Value(px)}, {Value(py)}"));
    }

    private static string Path(SvgPlot plot, Func<double, double> x, LineSeries series)
    {
        var path = new StringBuilder();
        bool pen = false;
        foreach (var point in series.Points)
        {
            if (IsFinite(point))
                path.Append(pen ? 'L' : 'M').Append(Svg.Number(x(point.X))).Append(' ').Append(Svg.Number(plot.Y(point.Y)));
            pen = IsFinite(point);
        }
        return path.ToString();
    }

    private static bool IsDashed(LineSeries series, int number) => series.Dashed || number >= Svg.Colours;

    private static bool IsFinite((double X, double Y) point) => double.IsFinite(point.X) && double.IsFinite(point.Y);

    private static string Value(double value) => value.ToString("G5", System.Globalization.CultureInfo.InvariantCulture);
}
