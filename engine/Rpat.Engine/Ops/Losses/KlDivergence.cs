namespace Rpat.Engine.Ops.Losses;

/// <summary>
/// factor·KL(q ‖ p), where q = softmax(scale·t), t is the second row, and p = softmax(scale·z); or −Σ q log p in place of the divergence,
/// from which it differs by q's entropy: TRADES, ReBAT, RPAT++, distillation at a temperature of 1/scale (methods.md 2.6, 3.2, 4.5).
/// </summary>
/// <param name="scale">The factor of both logits.</param>
/// <param name="factor">The factor of the value.</param>
/// <param name="crossEntropy">Leaves out the target's entropy.</param>
public readonly struct KlDivergence(float scale = 1, float factor = 1, bool crossEntropy = false) : IRowLoss
{
    private readonly float _scale = scale;
    private readonly float _factor = factor;
    private readonly int _entropy = crossEntropy ? 0 : 1;

    /// <summary>With scale and factor 1.</summary>
    public KlDivergence() : this(1) { }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Value<TRow>(LossRows<TRow> rows, int part) where TRow : struct, IRow
    {
        TRow z = rows.Z, t = rows.Second;
        return _factor * RowMath.Kl(t, z, _scale, RowMath.LogSumExp(t, _scale), RowMath.LogSumExp(z, _scale), _entropy);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Gradient<TRow>(LossRows<TRow> rows, double factor) where TRow : struct, IRow
    {
        TRow z = rows.Z, t = rows.Second;
        double normT = RowMath.LogSumExp(t, _scale), normZ = RowMath.LogSumExp(z, _scale), rate = factor * _factor * _scale;
        double mean = RowMath.Kl(t, z, _scale, normT, normZ, _entropy);
        for (int j = z.First; j < z.Count; j += z.Step)
        {
            double logQ = _scale * t.At(j) - normT, logP = _scale * z.At(j) - normZ, q = z.Exp(logQ);
            z.Put(j, rate * (z.Exp(logP) - q));
            t.Put(j, rate * q * (_entropy * logQ - logP - mean));
        }
    }
}

/// <summary>Recording of Kullback–Leibler divergences.</summary>
public static class KlDivergenceOp
{
    /// <summary>KL(softmax(target) ‖ softmax(logits)); the gradient reaches both unless the target is detached.</summary>
    /// <exception cref="ShapeException">The sizes differ.</exception>
    public static Loss KlDivergence(this Tape tape, Tensor target, Tensor logits, bool detachTarget = false,
        Reduction reduction = Reduction.Mean) =>
        tape.RowLoss("kl", new KlDivergence(1), logits,
            new() { Second = Argument.Given(target), Detach = detachTarget, Reduction = reduction });
}
