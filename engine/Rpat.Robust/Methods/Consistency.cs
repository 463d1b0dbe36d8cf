using Rpat.Robust.Settings;

namespace Rpat.Robust.Methods;

/// <summary>Consistency-AT (AAAI'22; methods.md 2.5): CE(x′) + λ·JSD of the two attacked views of each image.</summary>
/// <param name="Pgd">The attack, on both views.</param>
[Method("consistency-at", "PGD-AT on two views of each image and the divergence between them", "Tack et al., AAAI'22; methods.md 2.5",
    Attack = "A on CE, both views", Terms = "CE(x') + weight JSD(view 1, view 2)", Extra = "two views")]
public sealed record Consistency(PgdOptions Pgd) : Objective
{
    /// <summary>λ.</summary>
    [Setting("weight of the divergence", Source = "official code")]
    public float Weight { get; init; } = 1;

    /// <summary>T of the divergence.</summary>
    [Setting("temperature of its softmax", Source = "official code", Min = 1e-3, Max = 1000)]
    public float Temperature { get; init; } = 0.5f;

    /// <inheritdoc/>
    public override PgdOptions Attack => Pgd;

    /// <inheritdoc/>
    public override bool TwoViews => true;

    /// <inheritdoc/>
    public override IReadOnlyList<Assumption> Assumed => Assumptions.Benchmarks;

    /// <inheritdoc/>
    public override Loss Loss(ViewLogits v) =>
        v.CrossEntropy(v.Adversarial, v.SampleWeights) + Weight * v.Consistency(v.Adversarial, Temperature);
}
