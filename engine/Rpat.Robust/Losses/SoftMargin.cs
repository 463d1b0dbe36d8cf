namespace Rpat.Robust.Losses;

/// <summary>Soft logit margin, log Σ_{k≠y} e^{z_k} − z_y, negative only for correctly classified images (MMA; methods.md 4.2).</summary>
public readonly struct SoftMargin : IRowLoss
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Value<TRow>(LossRows<TRow> rows, int part) where TRow : struct, IRow =>
        RowMath.LogSumExpExcept(rows.Z, 1, rows.Label) - rows.Z.At(rows.Label);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Gradient<TRow>(LossRows<TRow> rows, double factor) where TRow : struct, IRow
    {
        TRow z = rows.Z;
        double norm = RowMath.LogSumExpExcept(z, 1, rows.Label);
        for (int j = z.First; j < z.Count; j += z.Step) z.Put(j, factor * (j == rows.Label ? -1 : z.Exp(z.At(j) - norm)));
    }
}
