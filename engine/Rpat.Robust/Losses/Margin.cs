namespace Rpat.Robust.Losses;

/// <summary>max_{k≠y} z_k − z_y, or with a target t z_t − max_{k≠t} z_k (Carlini and Wagner; attacks.md 1.3).</summary>
/// <param name="target">t, or −1.</param>
public readonly struct Margin(int target = -1) : IRowLoss
{
    private readonly int _target = target;

    /// <summary>Without a target.</summary>
    public Margin() : this(-1) { }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Value<TRow>(LossRows<TRow> rows, int part) where TRow : struct, IRow => rows.Z.At(Up(rows)) - rows.Z.At(Down(rows));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Gradient<TRow>(LossRows<TRow> rows, double factor) where TRow : struct, IRow
    {
        int up = Up(rows), down = Down(rows);
        for (int j = rows.Z.First; j < rows.Z.Count; j += rows.Z.Step)
            rows.Z.Put(j, (j == up ? factor : 0.0) - (j == down ? factor : 0.0));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int Up<TRow>(LossRows<TRow> rows) where TRow : struct, IRow =>
        _target >= 0 ? _target : RowMath.LargestExcept(rows.Z, rows.Label);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int Down<TRow>(LossRows<TRow> rows) where TRow : struct, IRow =>
        _target >= 0 ? RowMath.LargestExcept(rows.Z, _target) : rows.Label;
}
