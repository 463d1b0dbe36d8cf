namespace Rpat.Robust.Losses;

/// <summary>
/// Jensen–Shannon divergence of two views at a temperature, ½KL(π¹‖m) + ½KL(π²‖m), π = softmax(z/T), m = max(½(π¹+π²), 1e-8)
/// (Consistency-AT; methods.md 2.5).
/// </summary>
public readonly struct JensenShannon(float temperature) : IRowLoss
{
    private const double Least = 1e-8;
    private readonly float _temperature = temperature;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Value<TRow>(LossRows<TRow> rows, int part) where TRow : struct, IRow
    {
        TRow z = rows.Z, other = rows.Second;
        double scale = 1.0 / _temperature, norm1 = RowMath.LogSumExp(z, scale), norm2 = RowMath.LogSumExp(other, scale), sum = 0;
        for (int j = z.First; j < z.Count; j += z.Step)
        {
            double log1 = scale * z.At(j) - norm1, log2 = scale * other.At(j) - norm2;
            double p1 = z.Exp(log1), p2 = z.Exp(log2), logM = LogMean(z, p1, p2);
            sum += 0.5 * (p1 * (log1 - logM) + p2 * (log2 - logM));
        }
        return z.Sum(sum);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Gradient<TRow>(LossRows<TRow> rows, double factor) where TRow : struct, IRow
    {
        TRow z = rows.Z, other = rows.Second;
        double scale = 1.0 / _temperature, norm1 = RowMath.LogSumExp(z, scale), norm2 = RowMath.LogSumExp(other, scale);
        double mean1 = 0, mean2 = 0, rate = factor * scale;
        for (int j = z.First; j < z.Count; j += z.Step)
        {
            double log1 = scale * z.At(j) - norm1, log2 = scale * other.At(j) - norm2;
            double p1 = z.Exp(log1), p2 = z.Exp(log2);
            mean1 += p1 * Slope(z, log1, p1, p2);
            mean2 += p2 * Slope(z, log2, p1, p2);
        }
        mean1 = z.Sum(mean1);
        mean2 = z.Sum(mean2);
        for (int j = z.First; j < z.Count; j += z.Step)
        {
            double log1 = scale * z.At(j) - norm1, log2 = scale * other.At(j) - norm2;
            double p1 = z.Exp(log1), p2 = z.Exp(log2);
            z.Put(j, rate * p1 * (Slope(z, log1, p1, p2) - mean1));
            other.Put(j, rate * p2 * (Slope(z, log2, p1, p2) - mean2));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static double LogMean<TRow>(TRow row, double p1, double p2) where TRow : struct, IRow =>
        row.Log(0.5 * (p1 + p2) > Least ? 0.5 * (p1 + p2) : Least);

    // ∂/∂π of π·(log π − log m)/2 and of the other view's part through m; a clamped m does not depend on π.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static double Slope<TRow>(TRow row, double logP, double p1, double p2) where TRow : struct, IRow =>
        0.5 * (logP - LogMean(row, p1, p2)) + (0.5 * (p1 + p2) > Least ? 0 : 0.5);
}
