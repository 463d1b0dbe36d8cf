using Rpat.Engine.Autograd;
using Rpat.Robust.Attacks;
using Rpat.Robust.Methods;
using Rpat.Robust.Objectives;
using Rpat.Robust.Settings;

namespace Rpat.Samples.Extensions;

/// <summary>PGD-AT with weights (1 − p_y(x′))^focus.</summary>
[Method("focal-at", "cross-entropy that looks at what is still wrong", "own", Attack = "A on CE", Terms = "CE(x')",
    Weights = "(1 - p_y)^focus")]
public sealed record FocalAt(PgdOptions Pgd) : Objective
{
    [Setting("exponent of the weights", Source = "own choice", Max = 10)]
    public float Focus { get; init; } = 2;

    public override PgdOptions Attack => Pgd.A(InnerLoss.CrossEntropy);

    public override Loss Loss(ViewLogits v) => v.CrossEntropy(v.Adversarial, v.Weights(v.Adversarial, Weigh));

    private void Weigh(ReadOnlySpan<float> logits, ReadOnlySpan<int> labels, Span<float> weights)
    {
        int k = logits.Length / labels.Length;
        for (int i = 0; i < labels.Length; i++)
            weights[i] = MathF.Pow(1 - SampleLogits.Probability(logits.Slice(i * k, k), labels[i]), Focus);
    }
}
