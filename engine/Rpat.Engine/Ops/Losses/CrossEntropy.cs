namespace Rpat.Engine.Ops.Losses;

/// <summary>−log softmax(z)_y.</summary>
public readonly struct CrossEntropy : IRowLoss
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Value<TRow>(LossRows<TRow> rows, int part) where TRow : struct, IRow =>
        RowMath.LogSumExp(rows.Z, 1) - rows.Z.At(rows.Label);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Gradient<TRow>(LossRows<TRow> rows, double factor) where TRow : struct, IRow
    {
        TRow z = rows.Z;
        double norm = RowMath.LogSumExp(z, 1);
        for (int j = z.First; j < z.Count; j += z.Step) z.Put(j, factor * At(z, j, norm, rows.Label));
    }

    /// <summary>∂/∂z_j = softmax(z)_j − [j = y].</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double At<TRow>(TRow z, int j, double norm, int label) where TRow : struct, IRow =>
        z.Exp(z.At(j) - norm) - (j == label ? 1.0 : 0.0);
}

/// <summary>−Σ t_k log softmax(z)_k for target probabilities t (the second row).</summary>
public readonly struct SoftCrossEntropy : IRowLoss
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Value<TRow>(LossRows<TRow> rows, int part) where TRow : struct, IRow
    {
        TRow z = rows.Z, t = rows.Second;
        double norm = RowMath.LogSumExp(z, 1), sum = 0;
        for (int j = z.First; j < z.Count; j += z.Step) sum += t.At(j) * (norm - z.At(j));
        return z.Sum(sum);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Gradient<TRow>(LossRows<TRow> rows, double factor) where TRow : struct, IRow
    {
        TRow z = rows.Z, t = rows.Second;
        double norm = RowMath.LogSumExp(z, 1), mass = 0;
        for (int j = z.First; j < z.Count; j += z.Step) mass += t.At(j);
        mass = z.Sum(mass);
        for (int j = z.First; j < z.Count; j += z.Step)
        {
            z.Put(j, factor * (mass * z.Exp(z.At(j) - norm) - t.At(j)));
            t.Put(j, factor * (norm - z.At(j)));
        }
    }
}

/// <summary>Recording of cross-entropies.</summary>
public static class CrossEntropyOp
{
    /// <summary>Softmax cross-entropy of logits <c>[N, K]</c> against labels.</summary>
    /// <exception cref="ShapeException">The batch sizes differ; at run time: a label is not a column of the logits.</exception>
    public static Loss CrossEntropy(this Tape tape, Tensor logits, Labels labels, Reduction reduction = Reduction.Mean) =>
        tape.RowLoss("ce", new CrossEntropy(), logits, new() { Labels = Argument.Given(labels), Reduction = reduction });
}
