namespace Rpat.Robust.Losses;

/// <summary>One against the rest: log(1 + e^{−z_y}) + Σ_{k≠y} log(1 + e^{z_k}) (SOVR; methods.md 4.9).</summary>
public readonly struct OneVsRest : IRowLoss
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Value<TRow>(LossRows<TRow> rows, int part) where TRow : struct, IRow
    {
        TRow z = rows.Z;
        double sum = 0;
        for (int j = z.First; j < z.Count; j += z.Step) sum += RowMath.SoftPlus(z, j == rows.Label ? -z.At(j) : z.At(j));
        return z.Sum(sum);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Gradient<TRow>(LossRows<TRow> rows, double factor) where TRow : struct, IRow
    {
        TRow z = rows.Z;
        for (int j = z.First; j < z.Count; j += z.Step) z.Put(j, factor * (RowMath.Sigmoid(z, z.At(j)) - (j == rows.Label ? 1.0 : 0.0)));
    }
}
