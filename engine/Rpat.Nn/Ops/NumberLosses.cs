namespace Rpat.Nn.Ops;

/// <summary>factor·Σ z of a row.</summary>
public readonly struct RowSum(double factor) : IRowLoss
{
    private readonly double _factor = factor;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Value<TRow>(LossRows<TRow> rows, int part) where TRow : struct, IRow
    {
        double sum = 0;
        for (int j = rows.Z.First; j < rows.Z.Count; j += rows.Z.Step) sum += rows.Z.At(j);
        return _factor * rows.Z.Sum(sum);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Gradient<TRow>(LossRows<TRow> rows, double factor) where TRow : struct, IRow
    {
        for (int j = rows.Z.First; j < rows.Z.Count; j += rows.Z.Step) rows.Z.Put(j, factor * _factor);
    }
}

/// <summary>The mean of (z − t)² of two rows; the gradient reaches both.</summary>
public readonly struct SquaredError : IRowLoss
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Value<TRow>(LossRows<TRow> rows, int part) where TRow : struct, IRow
    {
        double sum = 0;
        for (int j = rows.Z.First; j < rows.Z.Count; j += rows.Z.Step)
            sum += (rows.Z.At(j) - rows.Second.At(j)) * (rows.Z.At(j) - rows.Second.At(j));
        return rows.Z.Sum(sum) / rows.Z.Count;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Gradient<TRow>(LossRows<TRow> rows, double factor) where TRow : struct, IRow
    {
        for (int j = rows.Z.First; j < rows.Z.Count; j += rows.Z.Step)
        {
            double g = factor * 2 * (rows.Z.At(j) - rows.Second.At(j)) / rows.Z.Count;
            rows.Z.Put(j, g);
            rows.Second.Put(j, -g);
        }
    }
}

/// <summary>Recording of losses of any values, not only of logits: images, maps, activations, rows.</summary>
public static class NumberLossOps
{
    /// <summary>The sum of all values of x, PyTorch's <c>x.sum()</c>.</summary>
    public static Loss Sum(this Tape tape, Tensor x) =>
        tape.RowLoss("sum", new RowSum(1), Rows(tape, x), new() { Reduction = Reduction.Sum });

    /// <summary>The mean of all values of x, PyTorch's <c>x.mean()</c>.</summary>
    public static Loss Mean(this Tape tape, Tensor x) =>
        tape.RowLoss("mean", new RowSum(1.0 / Bound.Given(x).Shape.SampleCount), Rows(tape, x), new());

    /// <summary>The mean of (x − target)² of all values, PyTorch's <c>F.mse_loss</c>; the gradient reaches both if both need one.</summary>
    /// <exception cref="ShapeException">The sizes differ.</exception>
    public static Loss MeanSquaredError(this Tape tape, Tensor x, Tensor target)
    {
        ShapeException.Require(Bound.Given(x).Shape == Bound.Given(target).Shape, "MeanSquaredError", $"{x} and {target} differ in size");
        return tape.RowLoss("mse", new SquaredError(), Rows(tape, x), new() { Second = Rows(tape, target) });
    }

    private static Tensor Rows(Tape tape, Tensor x) =>
        x is { Layout: Layout.Plain, Shape.Area: 1 } ? x : tape.Flatten(tape.ToPlain(x));
}
