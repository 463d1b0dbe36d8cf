namespace Rpat.Trainer.Output;

/// <summary>Mean and standard deviation (divisor n − 1) of some runs' values; NaN where there are too few.</summary>
internal readonly record struct Spread(double Mean, double Deviation, int Count)
{
    /// <summary>That of values.</summary>
    public static Spread Of(IReadOnlyCollection<double> values)
    {
        double mean = values.Count == 0 ? double.NaN : values.Average();
        double squares = values.Sum(v => Math.Pow(v - mean, 2));
        return new(mean, values.Count < 2 ? double.NaN : Math.Sqrt(squares / (values.Count - 1)), values.Count);
    }

    /// <summary>Shares as percent: <c>61.20 ± 0.34</c>, of one value alone <c>61.20</c>, of none <c>-</c>.</summary>
    public string Percent(string format = "F2") => Count switch
    {
        0 => "-",
        1 => Text(Mean, format),
        _ => $"{Text(Mean, format)} ± {Text(Deviation, format)}",
    };

    /// <summary>Mean and deviation as texts of their own; empty where there is none.</summary>
    public IEnumerable<string> Apart() => [Count == 0 ? "" : Text(Mean, "F2"), Count < 2 ? "" : Text(Deviation, "F2")];

    private static string Text(double share, string format) => (100 * share).ToString(format, CultureInfo.InvariantCulture);
}
