using System.Runtime.CompilerServices;

namespace Rpat.Engine;

/// <summary>
/// What row terms share, in double precision and in log-softmax form, so that every value and gradient stays finite when a
/// probability underflows (methods.md 2.6).
/// </summary>
internal static class RowMath
{
    /// <summary>log Σ exp(scale·z).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double LogSumExp<TRow>(TRow z, double scale) where TRow : struct, IRow => LogSumExpBesides(z, scale, -1);

    /// <summary>log Σ exp(scale·z) without one column.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double LogSumExpBesides<TRow>(TRow z, double scale, int besides) where TRow : struct, IRow
    {
        double max = double.NegativeInfinity, sum = 0;
        for (int j = 0; j < z.Count; j++)
            if (j != besides && scale * z.At(j) > max) max = scale * z.At(j);
        for (int j = 0; j < z.Count; j++)
            if (j != besides) sum += z.Exp(scale * z.At(j) - max);
        return max + z.Log(sum);
    }

    /// <summary>Column of the largest value besides one column; the first of equal ones.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int LargestBesides<TRow>(TRow z, int besides) where TRow : struct, IRow
    {
        int best = besides == 0 ? 1 : 0;
        for (int j = best + 1; j < z.Count; j++)
            if (j != besides && z.At(j) > z.At(best)) best = j;
        return best;
    }

    /// <summary>KL(softmax(scale·t) ‖ softmax(scale·z)), given the two normalisers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Kl<TRow>(TRow t, TRow z, double scale, double normT, double normZ) where TRow : struct, IRow
    {
        double sum = 0;
        for (int j = 0; j < z.Count; j++)
        {
            double logQ = scale * t.At(j) - normT, logP = scale * z.At(j) - normZ;
            sum += z.Exp(logQ) * (logQ - logP);
        }
        return sum;
    }

    /// <summary>log(1 + eˣ) without overflow.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double SoftPlus<TRow>(TRow row, double x) where TRow : struct, IRow =>
        (x > 0 ? x : 0) + row.Log(1 + row.Exp(x > 0 ? -x : x));

    /// <summary>1/(1 + e⁻ˣ) without overflow.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Sigmoid<TRow>(TRow row, double x) where TRow : struct, IRow
    {
        double e = row.Exp(x > 0 ? -x : x);
        return (x > 0 ? 1 : e) / (1 + e);
    }
}
