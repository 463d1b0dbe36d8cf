namespace Rpat.Formats.Data;

/// <summary>Numbers of symmetric Beta distributions.</summary>
public static class Beta
{
    private const int DrawsEach = 4 * Tries, Tries = 64; // a try fails once in twenty times at most

    /// <summary>
    /// A number of Beta(α, α): a/(a + b) with a, b of Gamma(α). Marsaglia and Tsang, "A simple
    /// method for generating gamma variables", 2000.
    /// </summary>
    /// <param name="alpha">α, above 0.</param>
    /// <param name="firstDraw">It and the next 512 are this number's.</param>
    public static double Draw(double alpha, in PhiloxStream draws, long firstDraw)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(alpha);
        double first = LogGamma(alpha, draws, firstDraw), second = LogGamma(alpha, draws, firstDraw + DrawsEach);
        return 1 / (1 + Math.Exp(second - first));
    }

    // The logarithm, since a small α gives values below the least double. Below 1, Gamma(α) = Gamma(α + 1)·u^(1/α).
    private static double LogGamma(double alpha, in PhiloxStream draws, long at)
    {
        double boost = alpha < 1 ? Math.Log(1 - draws.Uniform(at + DrawsEach - 1)) / alpha : 0;
        double d = (alpha < 1 ? alpha + 1 : alpha) - 1.0 / 3, c = 1 / Math.Sqrt(9 * d);
        for (int i = 0; i < Tries - 1; i++)
        {
            double x = draws.Normal(at + 2 * i), v = Math.Pow(1 + c * x, 3);
            if (v > 0 && Math.Log(1 - draws.Uniform(at + 2 * Tries + i)) < 0.5 * x * x + d - d * v + d * Math.Log(v))
                return boost + Math.Log(d * v);
        }
        return boost + Math.Log(d);
    }
}
