namespace Rpat.Robust.Losses;

/// <summary>
/// (1.0000001 − q_y)·KL(q ‖ p), q = softmax(second row) at the clean image, p = softmax(z) at the adversarial one; the gradient also
/// flows through the weight (MART; methods.md 2.4, 2.6).
/// </summary>
public readonly struct MartDivergence : IRowLoss
{
    private const double One = 1.0000001;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Value<TRow>(LossRows<TRow> rows, int part) where TRow : struct, IRow
    {
        TRow z = rows.Z, clean = rows.Second;
        double normT = RowMath.LogSumExp(clean, 1), normZ = RowMath.LogSumExp(z, 1);
        return (One - z.Exp(clean.At(rows.Label) - normT)) * RowMath.Kl(clean, z, 1, normT, normZ);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Gradient<TRow>(LossRows<TRow> rows, double factor) where TRow : struct, IRow
    {
        TRow z = rows.Z, clean = rows.Second;
        double normT = RowMath.LogSumExp(clean, 1), normZ = RowMath.LogSumExp(z, 1);
        double kl = RowMath.Kl(clean, z, 1, normT, normZ), right = z.Exp(clean.At(rows.Label) - normT), weight = One - right;
        for (int j = z.First; j < z.Count; j += z.Step)
        {
            double logQ = clean.At(j) - normT, logP = z.At(j) - normZ, q = z.Exp(logQ);
            z.Put(j, factor * weight * (z.Exp(logP) - q));
            clean.Put(j, factor * (weight * q * (logQ - logP - kl) - kl * right * ((j == rows.Label ? 1.0 : 0.0) - q)));
        }
    }
}
