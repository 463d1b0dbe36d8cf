namespace Rpat.Robust;

/// <summary>Wilson's score interval of a share at 95 %: what an accuracy on that many images says about all images.</summary>
/// <param name="Low">Lower end, 0 to 1.</param>
/// <param name="High">Upper end, 0 to 1.</param>
public readonly record struct WilsonInterval(double Low, double High)
{
    private const double Z = 1.959963984540054; // 97.5 % of a normal distribution lie below

    /// <summary>The interval of a count.</summary>
    public static WilsonInterval Of(int count, int all)
    {
        if (all == 0) return new WilsonInterval(0, 1);
        double p = (double)count / all, z2 = Z * Z / all;
        double middle = (p + z2 / 2) / (1 + z2), half = Z / (1 + z2) * Math.Sqrt(p * (1 - p) / all + z2 / (4 * all));
        return new WilsonInterval(Math.Max(0, middle - half), Math.Min(1, middle + half));
    }
}
