using Rpat.Engine;

namespace Rpat.Robust;

/// <summary>Consistency-AT (AAAI'22; methods.md 2.5): CE(x′) + λ·JSD of the two attacked views of each image.</summary>
/// <param name="Pgd">The attack, on both views.</param>
/// <param name="Weight">λ.</param>
/// <param name="Temperature">T of the divergence.</param>
public sealed record ConsistencyAt(PgdOptions Pgd, float Weight = 1, float Temperature = 0.5f) : Objective, IMethod
{
    /// <inheritdoc/>
    public static IReadOnlyList<MethodInfo> Methods { get; } =
    [
        new("consistency-at", "PGD-AT on two views of each image and the divergence between them", "Tack et al., AAAI'22; methods.md 2.5",
            new("A on CE, both views", "CE(x') + weight JSD(view 1, view 2)") { Extra = "two views" },
            static (s, pgd) => new ConsistencyAt(pgd, s.Number("weight"), s.Number("temperature")))
        {
            Parameters =
            [
                MethodParameter.Number("weight", "1", "weight of the divergence", "official code"),
                MethodParameter.Number("temperature", "0.5", "temperature of its softmax", "official code") with { Least = 1e-3 },
            ],
            Assumed = Assumptions.Benchmarks,
            TwoViews = true,
        },
    ];

    /// <inheritdoc/>
    public override string Name => "consistency-at";

    /// <inheritdoc/>
    public override PgdOptions Attack => Pgd;

    /// <inheritdoc/>
    public override bool TwoViews => true;

    /// <inheritdoc/>
    public override Loss Loss(Views v) => v.CrossEntropy(v.Adversarial) + Weight * v.Consistency(v.Adversarial, Temperature);
}
