namespace Rpat.Robust.Losses;

/// <summary>
/// The difference-of-logits ratio, invariant to scaling and shifting the logits (Croce and Hein, ICML'20; attacks.md 2.3). Sorted
/// z₍₁₎ ≥ z₍₂₎ ≥ …: −(z_y − max_{k≠y} z_k)/(z₍₁₎ − z₍₃₎ + 1e-12), and with a target t −(z_y − z_t)/(z₍₁₎ − (z₍₃₎ + z₍₄₎)/2 + 1e-12). With
/// three classes the targeted form uses the untargeted denominator; with two, both are the plain difference.
/// </summary>
/// <param name="target">t, or −1.</param>
public readonly struct Dlr(int target = -1) : IRowLoss
{
    private const double Guard = 1e-12;
    private readonly int _target = target;

    /// <summary>Without a target.</summary>
    public Dlr() : this(-1) { }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Value<TRow>(LossRows<TRow> rows, int part) where TRow : struct, IRow
    {
        var ratio = new Ratio<TRow>(rows, _target);
        return -ratio.Gap / ratio.Scale;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Gradient<TRow>(LossRows<TRow> rows, double factor) where TRow : struct, IRow
    {
        TRow z = rows.Z;
        var ratio = new Ratio<TRow>(rows, _target);
        for (int j = z.First; j < z.Count; j += z.Step) z.Put(j, factor * ratio.Slope(j, rows.Label));
    }

    /// <summary>Numerator, denominator and the columns that they use.</summary>
    private readonly struct Ratio<TRow> where TRow : struct, IRow
    {
        private readonly int _other;
        private readonly int _first;
        private readonly int _third;
        private readonly int _fourth;
        private readonly double _moves;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Ratio(LossRows<TRow> rows, int target)
        {
            TRow z = rows.Z;
            _first = RowMath.LargestExcept(z, -1);
            int second = RowMath.LargestExcept(z, _first);
            _third = RowMath.LargestExcept(z, _first, second);
            _fourth = target >= 0 && z.Count > 3 ? RowMath.LargestExcept(z, _first, second, _third) : _third;
            _other = target >= 0 ? target : _first == rows.Label ? second : _first;
            Gap = z.At(rows.Label) - z.At(_other);
            double spread = z.At(_first) - 0.5 * (z.At(_third) + z.At(_fourth)) + Guard;
            Scale = z.Count < 3 ? 1.0 : spread;
            _moves = z.Count < 3 ? 0.0 : Gap / (spread * spread);
        }

        /// <summary>z_y − z_other.</summary>
        public readonly double Gap;

        /// <summary>The denominator.</summary>
        public readonly double Scale;

        /// <summary>∂/∂z_j; columns may coincide, then their contributions add up.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public double Slope(int j, int label) =>
            (j == _other ? 1 / Scale : 0.0) - (j == label ? 1 / Scale : 0.0)
            + (j == _first ? _moves : 0.0) - (j == _third ? 0.5 * _moves : 0.0) - (j == _fourth ? 0.5 * _moves : 0.0);
    }
}
