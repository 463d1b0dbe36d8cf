namespace Rpat.Robust.Losses;

/// <summary>
/// ¼ Σ_jk w_j w_k ((a_j − a_k) − (b_j − b_k))² = ½ [(Σw)(Σ w d²) − (Σ w d)²], d = a − b, without a K×K table (GKL; methods.md 4.13). The
/// rows are b, a and w.
/// </summary>
public readonly struct WeightedGaps : IRowLoss
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Value<TRow>(LossRows<TRow> rows, int part) where TRow : struct, IRow
    {
        double first = Moment(rows, 1);
        return 0.5 * (Moment(rows, 0) * Moment(rows, 2) - first * first);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Gradient<TRow>(LossRows<TRow> rows, double factor) where TRow : struct, IRow
    {
        TRow z = rows.Z;
        double mass = Moment(rows, 0), first = Moment(rows, 1), second = Moment(rows, 2);
        for (int j = z.First; j < z.Count; j += z.Step)
        {
            double gap = Gap(rows, j), slope = factor * rows.Third.At(j) * (mass * gap - first);
            z.Put(j, -slope);
            rows.Second.Put(j, slope);
            rows.Third.Put(j, 0.5 * factor * (second + mass * gap * gap - 2 * first * gap));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static double Gap<TRow>(LossRows<TRow> rows, int j) where TRow : struct, IRow => rows.Second.At(j) - rows.Z.At(j);

    /// <summary>Σ w dᵖ.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static double Moment<TRow>(LossRows<TRow> rows, int power) where TRow : struct, IRow
    {
        double sum = 0;
        for (int j = rows.Z.First; j < rows.Z.Count; j += rows.Z.Step)
        {
            double gap = Gap(rows, j);
            sum += rows.Third.At(j) * (power == 0 ? 1.0 : power == 1 ? gap : gap * gap);
        }
        return rows.Z.Sum(sum);
    }
}
