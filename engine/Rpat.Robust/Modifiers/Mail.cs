using Rpat.Robust.Settings;

namespace Rpat.Robust.Modifiers;

/// <summary>
/// MAIL's sample weights (NeurIPS'21; methods.md 4.7): 3·σ(slope·(PM + bias)), PM = max_{k≠y} p_k − p_y the probabilistic margin at x′. The
/// constant 3 is that of the code, instead of the paper's normalisation.
/// </summary>
public sealed record Mail : Modifier
{
    /// <summary>s.</summary>
    [Setting("steepness of the weights", Source = "official code", Max = 100)]
    public float Slope { get; init; } = 10;

    /// <summary>b.</summary>
    [Setting("shift of the weights", Source = "official code", Min = -1, Max = 1)]
    public float Bias { get; init; } = -0.5f;

    /// <summary>First epoch, counted from 1.</summary>
    [Setting("first epoch with weights, counted from 1", Source = "official code: 76, counted from 0", Min = 1,
        Without = "without weights")]
    public int Start { get; init; } = 77;

    /// <inheritdoc/>
    public override SampleWeighting Weighting => Weigh;

    /// <inheritdoc/>
    public override bool Acts(Objective method, int epoch) => epoch >= Start && (method.Attack is not null || method.Margins is not null);

    /// <summary>Computes the weights of a batch.</summary>
    public void Weigh(ReadOnlySpan<float> logits, ReadOnlySpan<int> labels, Span<float> weights)
    {
        int k = logits.Length / labels.Length;
        for (int i = 0; i < labels.Length; i++)
            weights[i] = (float)(3 / (1 + Math.Exp(-Slope * (Margin(logits.Slice(i * k, k), labels[i]) + Bias))));
    }

    private static double Margin(ReadOnlySpan<float> z, int label)
    {
        double norm = RowMath.LogSumExp(z);
        return Math.Exp(z[RowMath.LargestExcept(z, label)] - norm) - Math.Exp(z[label] - norm);
    }
}
