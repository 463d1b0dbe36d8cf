namespace Rpat.Robust;

/// <summary>
/// MAIL's weights (NeurIPS'21; methods.md 4.7): 3·σ(slope·(PM + bias)), PM = max_{k≠y} p_k − p_y the probabilistic margin. The constant 3
/// is the code's, in place of the paper's normalisation.
/// </summary>
/// <param name="Slope">s.</param>
/// <param name="Bias">b.</param>
public sealed record MarginWeights(float Slope, float Bias)
{
    /// <summary>Weighs a batch.</summary>
    public void Weigh(ReadOnlySpan<float> logits, ReadOnlySpan<int> labels, Span<float> weights)
    {
        int k = logits.Length / labels.Length;
        for (int i = 0; i < labels.Length; i++)
            weights[i] = (float)(3 / (1 + Math.Exp(-Slope * (Margin(logits.Slice(i * k, k), labels[i]) + Bias))));
    }

    private static double Margin(ReadOnlySpan<float> z, int label)
    {
        double norm = HostSoftmax.LogSumExp(z);
        return Math.Exp(z[AttackLoss.Runner(z, label)] - norm) - Math.Exp(z[label] - norm);
    }
}
