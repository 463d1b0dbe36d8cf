// <adding-a-method>
using Rpat.Engine;

namespace Rpat.Robust;

/// <summary>PGD-AT with weights (1 − p_y(x′))^focus, and any other block on top.</summary>
public sealed record FocalAt(PgdOptions Pgd, float Focus = 2) : Objective, IMethod
{
    public static IReadOnlyList<MethodInfo> Methods { get; } =
    [
        new("focal-at", "cross-entropy that looks at what is still wrong", "own", new("A on CE", "CE(x')") { Weights = "(1 - p_y)^focus" },
            static (s, pgd) => new FocalAt(pgd, s.Number("focus"))) { Parameters = [MethodParameter.Number("focus", "2", "exponent", "own choice")] },
    ];
    public override string Name => "focal-at";
    public override PgdOptions Attack => Pgd.For(InnerLoss.CrossEntropy);
    public override Loss Loss(Views v) => v.CrossEntropy(v.Adversarial, v.Weights(v.Adversarial, Weigh));
    private void Weigh(ReadOnlySpan<float> logits, ReadOnlySpan<int> labels, Span<float> weights)
    {
        int k = logits.Length / labels.Length;
        for (int i = 0; i < labels.Length; i++) weights[i] = MathF.Pow(1 - SampleLogits.Probability(logits.Slice(i * k, k), labels[i]), Focus);
    }
}
// </adding-a-method>
