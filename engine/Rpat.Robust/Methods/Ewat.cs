using Rpat.Robust.Settings;

namespace Rpat.Robust.Methods;

/// <summary>EWAT (ICML'21 workshop; methods.md 4.6, from memory): CE(x′) with weights 1 + H_i/mean H, H the entropy of p(x′).</summary>
[Method("ewat", "cross-entropy weighted by the entropy of the prediction", "Kim et al., ICML'21 workshop; methods.md 4.6",
    Attack = "A on CE", Terms = "CE(x')", Weights = "1 + H/mean H",
    Departs = "no code is public: the form of the weights is from memory, only that they grow with the entropy is the abstract's")]
public sealed record Ewat(PgdOptions Pgd) : Objective
{
    /// <summary>The "1 +"; without it the weights are H_i/mean H.</summary>
    [Setting("add 1 to the relative entropy", Source = "from memory, unverified", Uncertain = true)]
    public bool AddOne { get; init; } = true;

    /// <summary>The division by the batch's mean.</summary>
    [Setting("divide the entropy by its mean over the batch", Source = "from memory, unverified", Uncertain = true)]
    public bool Relative { get; init; } = true;

    /// <inheritdoc/>
    public override PgdOptions Attack => Pgd;

    /// <inheritdoc/>
    public override IReadOnlyList<Assumption> Assumed => [Assumptions.Network];

    /// <inheritdoc/>
    public override Loss Loss(ViewLogits v) => v.CrossEntropy(v.Adversarial, v.Weights(v.Adversarial, Weigh));

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
        double norm = RowMath.LogSumExp(z), entropy = 0;
        foreach (float value in z) entropy -= Math.Exp(value - norm) * (value - norm);
        return entropy;
    }
}
