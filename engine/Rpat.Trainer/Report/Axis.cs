namespace Rpat.Trainer.Report;

/// <summary>One axis of a chart: its ends, its ticks and the position of a value between them.</summary>
internal sealed record Axis(double Low, double High, IReadOnlyList<double> Ticks, bool Logarithmic = false)
{
    private const double Widest = 1e15;

    /// <summary>Linear, with ticks at 1, 2 or 5 times a power of ten, from the tick below the values to the tick above them.</summary>
    /// <param name="values">What must fit in; values that are not finite are left out.</param>
    /// <param name="zero">Whether 0 must be on it, as bars need.</param>
    public static Axis Around(IEnumerable<double> values, int wanted = 5, bool zero = false)
    {
        double[] finite = [.. values.Where(double.IsFinite).Concat(zero ? [0.0] : [])];
        var (low, high) = finite.Length == 0 ? (0, 1) : (Math.Max(finite.Min(), -Widest), Math.Min(finite.Max(), Widest));
        if (high - low <= 1e-12 * Math.Max(Math.Abs(low), Math.Abs(high))) (low, high) = Apart(low, high, zero);
        double step = NiceStep((high - low) / wanted);
        long first = (long)Math.Floor(low / step + 1e-9), last = (long)Math.Ceiling(high / step - 1e-9);
        return new Axis(first * step, last * step, [.. Range(first, last).Select(n => n * step)]);
    }

    /// <summary>Logarithmic, from power of ten to power of ten around the positive values.</summary>
    public static Axis LogAround(IEnumerable<double> values)
    {
        double[] positive = [.. values.Where(v => double.IsFinite(v) && v > 0)];
        if (positive.Length == 0) positive = [1];
        int first = (int)Math.Floor(Math.Log10(positive.Min()) + 1e-9), last = (int)Math.Ceiling(Math.Log10(positive.Max()) - 1e-9);
        if (first == last) last++;
        int skip = 1 + (last - first) / 8;
        return new Axis(Math.Pow(10, first), Math.Pow(10, last),
            [.. Range(first, last).Where(e => (e - first) % skip == 0).Select(e => Math.Pow(10, e))], true);
    }

    /// <summary>Exactly between two values, with ticks inside.</summary>
    public static Axis Between(double low, double high, int wanted = 5)
    {
        var around = Around([low, high], wanted);
        double slack = (high - low) * 1e-9;
        return new Axis(low, high, [.. around.Ticks.Where(t => t >= low - slack && t <= high + slack)]);
    }

    /// <summary>Place of a value: 0 at the start, 1 at the end; a value outside is moved to the nearer end.</summary>
    public double Place(double value) => Math.Clamp(Logarithmic
        ? (Math.Log10(Math.Max(value, Low)) - Math.Log10(Low)) / (Math.Log10(High) - Math.Log10(Low))
        : (value - Low) / (High - Low), 0, 1);

    /// <summary>A tick's label: no more digits than needed to distinguish the ticks.</summary>
    public string Label(double tick)
    {
        if (Logarithmic)
            return tick is >= 1e-3 and < 1e5 ? Svg.Number(tick) : FormattableString.Invariant($"1e{Math.Round(Math.Log10(tick))}");
        double step = Ticks.Count > 1 ? Ticks[1] - Ticks[0] : Math.Max(Math.Abs(tick), 1);
        if (Math.Abs(tick) < step * 1e-6) return "0";
        if (Math.Max(Math.Abs(Low), Math.Abs(High)) is >= 1e6 or < 1e-4)
            return tick.ToString("0.##e+0", System.Globalization.CultureInfo.InvariantCulture);
        int digits = Math.Clamp((int)Math.Ceiling(-Math.Log10(step) - 1e-9), 0, 8);
        return tick.ToString("F" + digits, System.Globalization.CultureInfo.InvariantCulture);
    }

    // A single value gets room around it; a bar's axis keeps its zero.
    private static (double Low, double High) Apart(double low, double high, bool zero)
    {
        double room = low == 0 ? 1 : Math.Abs(low) * 0.1;
        return zero || low == 0 ? (0, high + room) : (low - room, high + room);
    }

    private static double NiceStep(double rough)
    {
        double power = Math.Pow(10, Math.Floor(Math.Log10(rough))), lead = rough / power;
        return power * (lead <= 1.0000001 ? 1 : lead <= 2.0000001 ? 2 : lead <= 5.0000001 ? 5 : 10);
    }

    private static IEnumerable<long> Range(long first, long last)
    {
        for (long n = first; n <= last; n++) yield return n;
    }
}
