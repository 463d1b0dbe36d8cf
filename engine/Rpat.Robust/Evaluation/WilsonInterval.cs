namespace Rpat.Robust.Evaluation;

/// <summary>Wilson's score interval of a proportion at 95 %: what an accuracy on that many images says about all images.</summary>
/// <param name="Low">Lower end, 0 to 1.</param>
/// <param name="High">Upper end, 0 to 1.</param>
public readonly record struct WilsonInterval(double Low, double High)
{
    private const double Z = 1.959963984540054; // 97.5 % of a normal distribution are below
    private const double WideZ = 2.241402727604945; // 98.75 %

    /// <summary>The interval of a count.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The count is not from 0 to all.</exception>
    public static WilsonInterval Of(int count, int all) => Of(count, all, Z);

    /// <summary>
    /// The interval at 97.5 %: two such intervals, of two counts of the same images, contain both proportions at once with at least 95 %
    /// confidence, however the counts are correlated (Bonferroni's bound).
    /// </summary>
    internal static WilsonInterval OneOfTwo(int count, int all) => Of(count, all, WideZ);

    private static WilsonInterval Of(int count, int all, double z)
    {
        if (count < 0 || count > all)
            throw new ArgumentOutOfRangeException(nameof(count), $"{count} of {all} is no share: count from 0 to all.");
        if (all == 0) return new WilsonInterval(0, 1);
        double p = (double)count / all, z2 = z * z / all;
        double middle = (p + z2 / 2) / (1 + z2), half = z / (1 + z2) * Math.Sqrt(p * (1 - p) / all + z2 / (4 * all));
        return new WilsonInterval(count == 0 ? 0 : middle - half, count == all ? 1 : middle + half); // exact at the ends, without rounding
    }
}
