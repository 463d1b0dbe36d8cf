namespace Rpat.Robust.Losses;

/// <summary>mean_k (softmax(z)_k − t_k)² for target probabilities t (the second row) (TE; methods.md 4.8).</summary>
public readonly struct SquaredProbability : IRowLoss
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Value<TRow>(LossRows<TRow> rows, int part) where TRow : struct, IRow
    {
        TRow z = rows.Z;
        double norm = RowMath.LogSumExp(z, 1), sum = 0;
        for (int j = z.First; j < z.Count; j += z.Step) sum += Gap(z, rows.Second, j, norm) * Gap(z, rows.Second, j, norm);
        return z.Sum(sum) / z.Count;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Gradient<TRow>(LossRows<TRow> rows, double factor) where TRow : struct, IRow
    {
        TRow z = rows.Z;
        double norm = RowMath.LogSumExp(z, 1), mean = 0, rate = 2 * factor / z.Count;
        for (int j = z.First; j < z.Count; j += z.Step) mean += z.Exp(z.At(j) - norm) * Gap(z, rows.Second, j, norm);
        mean = z.Sum(mean);
        for (int j = z.First; j < z.Count; j += z.Step)
        {
            z.Put(j, rate * z.Exp(z.At(j) - norm) * (Gap(z, rows.Second, j, norm) - mean));
            rows.Second.Put(j, -rate * Gap(z, rows.Second, j, norm));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static double Gap<TRow>(TRow z, TRow t, int j, double norm) where TRow : struct, IRow => z.Exp(z.At(j) - norm) - t.At(j);
}
