using System.Runtime.CompilerServices;

namespace Rpat.Engine;

/// <summary>−Σ t_k log softmax(z)_k for target probabilities t, which are constants.</summary>
public readonly struct SoftCrossEntropyRowTerm : IRowTerm
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Value<TRow>(TRow z, TRow other, int label) where TRow : struct, IRow
    {
        double norm = RowMath.LogSumExp(z, 1), sum = 0;
        for (int j = 0; j < z.Count; j++) sum += other.At(j) * (norm - z.At(j));
        return sum;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Gradient<TRow>(TRow z, TRow other, int label, double factor) where TRow : struct, IRow
    {
        double norm = RowMath.LogSumExp(z, 1), mass = 0;
        for (int j = 0; j < z.Count; j++) mass += other.At(j);
        for (int j = 0; j < z.Count; j++) z.Put(j, factor * (mass * z.Exp(z.At(j) - norm) - other.At(j)));
    }
}

/// <summary>mean_k (softmax(z)_k − t_k)² for target probabilities t, which are constants (TE; methods.md 4.8).</summary>
public readonly struct SquaredProbabilityRowTerm : IRowTerm
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Value<TRow>(TRow z, TRow other, int label) where TRow : struct, IRow
    {
        double norm = RowMath.LogSumExp(z, 1), sum = 0;
        for (int j = 0; j < z.Count; j++) sum += Gap(z, other, j, norm) * Gap(z, other, j, norm);
        return sum / z.Count;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Gradient<TRow>(TRow z, TRow other, int label, double factor) where TRow : struct, IRow
    {
        double norm = RowMath.LogSumExp(z, 1), mean = 0, rate = 2 * factor / z.Count;
        for (int j = 0; j < z.Count; j++) mean += z.Exp(z.At(j) - norm) * Gap(z, other, j, norm);
        for (int j = 0; j < z.Count; j++) z.Put(j, rate * z.Exp(z.At(j) - norm) * (Gap(z, other, j, norm) - mean));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static double Gap<TRow>(TRow z, TRow t, int j, double norm) where TRow : struct, IRow => z.Exp(z.At(j) - norm) - t.At(j);
}

/// <summary>
/// factor·KL(q ‖ p), q = softmax(scale·t), p = softmax(scale·z), or with −Σ q log p in place of the divergence, which differs by q's
/// entropy: TRADES, ReBAT, RPAT++, distillation at a temperature of 1/scale (methods.md 2.6, 3.2, 4.5).
/// </summary>
/// <param name="scale">What both logits are multiplied with.</param>
/// <param name="factor">What the value is multiplied with.</param>
/// <param name="crossEntropy">Leave out the target's entropy; the target is a constant then.</param>
public readonly struct DistillRowTerm(float scale = 1, float factor = 1, bool crossEntropy = false) : IRowTerm
{
    private readonly float _scale = scale;
    private readonly float _factor = factor;
    private readonly int _entropy = crossEntropy ? 0 : 1;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Value<TRow>(TRow z, TRow other, int label) where TRow : struct, IRow
    {
        double normT = RowMath.LogSumExp(other, _scale), normZ = RowMath.LogSumExp(z, _scale), sum = 0;
        for (int j = 0; j < z.Count; j++)
        {
            double logQ = _scale * other.At(j) - normT, logP = _scale * z.At(j) - normZ;
            sum += z.Exp(logQ) * (_entropy * logQ - logP);
        }
        return _factor * sum;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Gradient<TRow>(TRow z, TRow other, int label, double factor) where TRow : struct, IRow
    {
        double normT = RowMath.LogSumExp(other, _scale), normZ = RowMath.LogSumExp(z, _scale), rate = factor * _factor * _scale;
        double kl = RowMath.Kl(other, z, _scale, normT, normZ);
        for (int j = 0; j < z.Count; j++)
        {
            double logQ = _scale * other.At(j) - normT, logP = _scale * z.At(j) - normZ, q = z.Exp(logQ);
            z.Put(j, rate * (z.Exp(logP) - q));
            other.Put(j, rate * q * (logQ - logP - kl));
        }
    }
}
