namespace Rpat.Engine.Ops.Losses;

/// <summary>
/// Functions shared by losses of logits, in double precision and in log-softmax form, so that every value and gradient stays finite when a
/// probability underflows (methods.md 2.6). All threads of a row call these alike and get the same result.
/// </summary>
public static class RowMath
{
    /// <summary>log Σ exp(scale·z).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double LogSumExp<TRow>(TRow z, double scale) where TRow : struct, IRow => LogSumExpExcept(z, scale, -1);

    /// <summary>log Σ exp(scale·z) without one column.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double LogSumExpExcept<TRow>(TRow z, double scale, int except) where TRow : struct, IRow
    {
        double max = double.NegativeInfinity, sum = 0;
        for (int j = z.First; j < z.Count; j += z.Step)
            if (j != except && scale * z.At(j) > max) max = scale * z.At(j);
        max = z.Max(max);
        for (int j = z.First; j < z.Count; j += z.Step)
            if (j != except) sum += z.Exp(scale * z.At(j) - max);
        return max + z.Log(z.Sum(sum));
    }

    /// <summary>Column of the largest value, excluding up to three columns; ties go to the first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int LargestExcept<TRow>(TRow z, int except, int second = -1, int third = -1) where TRow : struct, IRow
    {
        double max = double.NegativeInfinity, first = 1 - z.Count; // if nothing equals the maximum (NaN), the last column
        for (int j = z.First; j < z.Count; j += z.Step)
            if (j != except && j != second && j != third && z.At(j) > max) max = z.At(j);
        max = z.Max(max);
        for (int j = z.First; j < z.Count; j += z.Step)
            if (j != except && j != second && j != third && z.At(j) == max && -j > first) first = -j;
        return (int)-z.Max(first);
    }

    /// <summary>log Σ exp(scale·z) of a row on the host.</summary>
    public static unsafe double LogSumExp(ReadOnlySpan<float> z, double scale = 1)
    {
        fixed (float* at = z) return LogSumExp(new CpuRow(at, null, z.Length, add: false), scale);
    }

    /// <summary>Column of the largest value of a row on the host, excluding one column; ties go to the first.</summary>
    public static unsafe int LargestExcept(ReadOnlySpan<float> z, int except)
    {
        fixed (float* at = z) return LargestExcept(new CpuRow(at, null, z.Length, add: false), except);
    }

    /// <summary>KL(softmax(scale·t) ‖ softmax(scale·z)), given the two normalisers; with entropy 0 for 1 the cross-entropy.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Kl<TRow>(TRow t, TRow z, double scale, double normT, double normZ, int entropy = 1) where TRow : struct, IRow
    {
        double sum = 0;
        for (int j = z.First; j < z.Count; j += z.Step)
        {
            double logQ = scale * t.At(j) - normT, logP = scale * z.At(j) - normZ;
            sum += z.Exp(logQ) * (entropy * logQ - logP);
        }
        return z.Sum(sum);
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
