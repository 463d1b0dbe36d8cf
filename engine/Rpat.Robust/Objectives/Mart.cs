using Rpat.Engine;

namespace Rpat.Robust;

/// <summary>MART (ICLR'20; methods.md 2.4): CE(x′) − log(1.0001 − p_j(x′)) + β·(1 − p_y(x))·KL(p(x) ‖ p(x′)), the weight with gradient.</summary>
/// <param name="Pgd">The attack.</param>
/// <param name="Beta">β.</param>
public sealed record Mart(PgdOptions Pgd, float Beta = 6) : Objective, IMethod
{
    /// <inheritdoc/>
    public static IReadOnlyList<MethodInfo> Methods { get; } =
    [
        new("mart", "boosted cross-entropy and a divergence weighted by misclassification", "Wang et al., ICLR'20; methods.md 2.4",
            new("B on CE", "CE(x') + complement(x') + beta (1 - p_y(x)) KL(p(x), p(x'))") { Weights = "1 - p_y(x), with gradient" },
            static (s, pgd) => new Mart(pgd, s.Number("beta")))
        {
            Assumed = Assumptions.Benchmarks,
            NeedsOneClass = true,
            Parameters =
            [
                MethodParameter.Number("beta", "6", "weight of the divergence", "RPAT_Benchmarks; the original takes 5 for ResNet-18"),
            ],
        },
    ];

    /// <inheritdoc/>
    public override string Name => "mart";

    /// <inheritdoc/>
    public override PgdOptions Attack => Pgd.For(InnerLoss.CrossEntropy, PgdStart.Gaussian, ballFirst: true);

    /// <inheritdoc/>
    public override Loss Loss(Views v)
    {
        var (clean, adversarial) = (v.Clean, v.Adversarial);
        return v.CrossEntropy(adversarial) + v.Complement(adversarial) + Beta * v.MartDistill(clean, adversarial);
    }
}
