namespace Rpat.Robust.Losses;

/// <summary>
/// −log(1.0001 − p_j), j the most probable wrong class: the second half of MART's boosted cross-entropy (methods.md 2.4).
/// </summary>
public readonly struct Complement : IRowLoss
{
    private const double Room = 1.0001 + 1e-12; // the official code adds both

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Value<TRow>(LossRows<TRow> rows, int part) where TRow : struct, IRow
    {
        TRow z = rows.Z;
        double norm = RowMath.LogSumExp(z, 1);
        return -z.Log(Room - z.Exp(z.At(RowMath.LargestExcept(z, rows.Label)) - norm));
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Gradient<TRow>(LossRows<TRow> rows, double factor) where TRow : struct, IRow
    {
        TRow z = rows.Z;
        double norm = RowMath.LogSumExp(z, 1);
        int wrong = RowMath.LargestExcept(z, rows.Label);
        double p = z.Exp(z.At(wrong) - norm), rate = factor * p / (Room - p);
        for (int j = z.First; j < z.Count; j += z.Step) z.Put(j, -rate * CrossEntropy.At(z, j, norm, wrong));
    }
}
