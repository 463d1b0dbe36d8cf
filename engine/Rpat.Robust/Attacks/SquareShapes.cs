namespace Rpat.Robust.Attacks;

/// <summary>Sizes and patterns of the Square attack (attacks.md 2.6).</summary>
internal static class SquareShapes
{
    private static readonly int[] _thresholds = [10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000];

    /// <summary>Share of the image that a window covers: p_init, halved after each threshold.</summary>
    public static double Share(double first, int iteration) => first / (1 << _thresholds.Count(t => t < iteration));

    /// <summary>Side of an L∞ window.</summary>
    public static int LinfSide(double share, int height, int width) =>
        Math.Clamp((int)Math.Round(Math.Sqrt(share * height * width)), 1, Math.Min(height, width));

    /// <summary>Side of an L2 window: odd and at least 3 where the image allows.</summary>
    public static int L2Side(double share, int height, int width)
    {
        int side = Math.Max((int)Math.Round(Math.Sqrt(share * height * width)), 3);
        if (side % 2 == 0) side++;
        return Math.Min(side, Math.Min(height, width));
    }

    /// <summary>η(s): a bump in the upper half and its negative in the lower one, of length 1; row-major.</summary>
    public static double[] Eta(int side) => Eta(side, 2, v => Math.Sqrt(v.Sum(x => x * x)));

    /// <summary>The same with another power of the shells, and another length.</summary>
    public static double[] Eta(int side, int power, Func<double[], double> length)
    {
        var eta = new double[side * side];
        int upper = side / 2;
        Bump(upper, side, power, length).CopyTo(eta, 0);
        Array.ConvertAll(Bump(side - upper, side, power, length), v => -v).CopyTo(eta, upper * side);
        Normalise(eta, length);
        return eta;
    }

    /// <summary>η(s) mirrored at its diagonal.</summary>
    public static double[] Transposed(double[] eta, int side)
    {
        var result = new double[eta.Length];
        for (int i = 0; i < eta.Length; i++) result[i % side * side + i / side] = eta[i];
        return result;
    }

    /// <summary>Shells of Chebyshev distance j ≤ … around the centre, each adding 1/(j+1)^power to what it encloses.</summary>
    private static double[] Bump(int rows, int columns, int power, Func<double[], double> length)
    {
        var bump = new double[rows * columns];
        int row = rows / 2, column = columns / 2, last = Math.Max(row, column);
        for (int i = 0; i < bump.Length; i++)
            for (int j = Math.Max(Math.Abs(i / columns - row), Math.Abs(i % columns - column)); j <= last; j++)
                bump[i] += Math.Pow(j + 1, -power);
        Normalise(bump, length);
        return bump;
    }

    private static void Normalise(double[] v, Func<double[], double> length)
    {
        double of = length(v);
        for (int i = 0; i < v.Length; i++) v[i] /= of;
    }
}
