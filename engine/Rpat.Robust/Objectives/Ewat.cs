using Rpat.Engine;

namespace Rpat.Robust;

/// <summary>EWAT (ICML'21 workshop; methods.md 4.6, from memory): CE(x′) with weights 1 + H_i/mean H, H the entropy of p(x′).</summary>
/// <param name="Pgd">The attack.</param>
/// <param name="AddOne">The "1 +"; without it the weights are H_i/mean H.</param>
/// <param name="Relative">The division by the batch's mean.</param>
public sealed record Ewat(PgdOptions Pgd, bool AddOne = true, bool Relative = true) : Objective, IMethod
{
    /// <inheritdoc/>
    public static IReadOnlyList<MethodInfo> Methods { get; } =
    [
        new("ewat", "cross-entropy weighted by the entropy of the prediction", "Kim et al., ICML'21 workshop; methods.md 4.6",
            new("A on CE", "CE(x')") { Weights = "1 + H/mean H" },
            static (s, pgd) => new Ewat(pgd, s.Flag("add_one"), s.Flag("relative")))
        {
            Assumed = [Assumptions.Network],
            Parameters =
            [
                MethodParameter.Flag("add_one", true, "add 1 to the relative entropy", "from memory, unverified") with { Uncertain = true },
                MethodParameter.Flag("relative", true, "divide the entropy by its mean over the batch", "from memory, unverified") with { Uncertain = true },
            ],
        },
    ];

    /// <inheritdoc/>
    public override string Name => "ewat";

    /// <inheritdoc/>
    public override PgdOptions Attack => Pgd;

    /// <inheritdoc/>
    public override Loss Loss(Views v) => v.CrossEntropy(v.Adversarial, v.Weights(v.Adversarial, Weigh));

    private void Weigh(ReadOnlySpan<float> logits, ReadOnlySpan<int> labels, Span<float> weights)
    {
        int k = logits.Length / labels.Length;
        double sum = 0;
        for (int i = 0; i < weights.Length; i++) sum += weights[i] = (float)Entropy(logits.Slice(i * k, k));
        for (int i = 0; i < weights.Length; i++)
            weights[i] = (AddOne ? 1 : 0) + (!Relative ? weights[i] : sum > 0 ? (float)(weights[i] * weights.Length / sum) : 1);
    }

    private static double Entropy(ReadOnlySpan<float> z)
    {
        double norm = HostSoftmax.LogSumExp(z), entropy = 0;
        foreach (float value in z) entropy -= Math.Exp(value - norm) * (value - norm);
        return entropy;
    }
}
