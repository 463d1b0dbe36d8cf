namespace Rpat.Robust.Objectives;

/// <summary>Quantities for sample weights, computed from one row of logits on the host, in double.</summary>
public static class SampleLogits
{
    /// <summary>softmax(z) of one class.</summary>
    /// <param name="z">Logits <c>[K]</c>.</param>
    public static float Probability(ReadOnlySpan<float> z, int label) => (float)Math.Exp(z[label] - RowMath.LogSumExp(z));
}
