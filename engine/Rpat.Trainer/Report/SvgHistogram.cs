using System.Xml.Linq;

namespace Rpat.Trainer.Report;

/// <summary>The values of one colour.</summary>
/// <param name="Values">In any order; those that are not finite are left out.</param>
internal sealed record HistogramSeries(string Name, IReadOnlyList<double> Values);

/// <summary>Distributions over each other: the share of each series' own values in bins of equal width.</summary>
internal static class SvgHistogram
{
    private const double Quantile = 0.99; // otherwise a few huge values would put everything else in the first bin

    /// <summary>Draws the chart; values beyond the 99th percentile of all are counted in the last bin.</summary>
    public static XElement Draw(ChartText text, IReadOnlyList<HistogramSeries> series, int bins = 40)
    {
        double[] all = [.. series.SelectMany(s => s.Values).Where(double.IsFinite).Order()];
        var (low, high) = all.Length == 0 ? (0, 1) : (all[0], all[(int)(Quantile * (all.Length - 1))]);
        if (!(high > low)) high = low + 1;
        double[][] shares = [.. series.Select(s => Shares(s.Values, low, high, bins))];
        var plot = new SvgPlot(text, Axis.Around(shares.SelectMany(s => s), zero: true));
        var x = plot.XAxis(Axis.Between(low, high, 8), text.X);
        for (int s = 0; s < series.Count; s++) Draw(plot, x, series[s].Name, shares[s], (low, high), s);
        return plot.Finish([.. series.Select((s, i) => (s.Name, Svg.ColourOf(i), false))
            .Where((_, i) => series[i].Values.Any(double.IsFinite))]);
    }

    /// <summary>Share of the values in each bin; 0 everywhere when there are none.</summary>
    internal static double[] Shares(IEnumerable<double> values, double low, double high, int bins)
    {
        var shares = new double[bins];
        double[] finite = [.. values.Where(double.IsFinite)];
        foreach (double value in finite)
            shares[(int)Math.Clamp((value - low) / (high - low) * bins, 0, bins - 1)] += 1.0 / finite.Length;
        return shares;
    }

    private static void Draw(SvgPlot plot, Func<double, double> x, string name, double[] shares, (double Low, double High) range,
        int number)
    {
        double width = (range.High - range.Low) / shares.Length;
        for (int bin = 0; bin < shares.Length; bin++)
        {
            if (shares[bin] == 0) continue;
            double left = x(range.Low + bin * width), right = x(range.Low + (bin + 1) * width), top = plot.Y(shares[bin]);
            plot.Add(Svg.Element("rect", ("x", left), ("y", top), ("width", right - left), ("height", plot.Floor - top),
                ("class", $"fill clear {Svg.ColourOf(number)}"))
                .WithTip(FormattableString.Invariant(
                $"{name}: {100 * shares[bin]:F1} % from {range.Low + bin * width:G4} to {range.Low + (bin + 1) * width:G4}")));
        }
    }
}
