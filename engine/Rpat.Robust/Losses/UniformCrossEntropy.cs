namespace Rpat.Robust.Losses;

/// <summary>−mean_k log softmax(z)_k, the cross-entropy with the uniform distribution: what label smoothing adds.</summary>
public readonly struct UniformCrossEntropy : IRowLoss
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Value<TRow>(LossRows<TRow> rows, int part) where TRow : struct, IRow
    {
        TRow z = rows.Z;
        double norm = RowMath.LogSumExp(z, 1), sum = 0;
        for (int j = z.First; j < z.Count; j += z.Step) sum += norm - z.At(j);
        return z.Sum(sum) / z.Count;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Gradient<TRow>(LossRows<TRow> rows, double factor) where TRow : struct, IRow
    {
        TRow z = rows.Z;
        double norm = RowMath.LogSumExp(z, 1);
        for (int j = z.First; j < z.Count; j += z.Step) z.Put(j, factor * (z.Exp(z.At(j) - norm) - 1.0 / z.Count));
    }
}
