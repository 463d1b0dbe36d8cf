using Rpat.Engine;

namespace Rpat.Robust;

/// <summary>TRADES (ICML'19; methods.md 2.3): CE(z(x), y) + β·KL(p(x) ‖ p(x′)), the gradient through both arguments.</summary>
/// <param name="Pgd">The attack; it maximises the divergence.</param>
/// <param name="Beta">β.</param>
/// <param name="RepeatClean">Take p(x) from a second forward, as the official code does: the logits are the same, running statistics move once more.</param>
public sealed record Trades(PgdOptions Pgd, float Beta = 6, bool RepeatClean = true) : Objective, IMethod
{
    /// <inheritdoc/>
    public static IReadOnlyList<MethodInfo> Methods { get; } =
    [
        new("trades", "clean cross-entropy and the divergence between clean and adversarial predictions", "Zhang et al., ICML'19; methods.md 2.3",
            new("B on KL", "CE(x) + beta KL(p(x), p(x'))"),
            static (s, pgd) => new Trades(pgd, s.Number("beta"), s.Flag("repeat")))
        {
            Assumed = Assumptions.Benchmarks,
            Parameters =
            [
                MethodParameter.Number("beta", "6", "weight of the divergence", "official code"),
                MethodParameter.Flag("repeat", true, "take p(x) from a second forward, which moves running statistics once more", "official code"),
            ],
        },
        new("trades-awp", "TRADES at adversarially perturbed weights", "Wu et al., NeurIPS'20; methods.md 4.3",
            new("B on KL", "CE(x) + beta KL(p(x), p(x'))") { Extra = "weight perturbation" },
            static (s, pgd) => new Trades(pgd, s.Number("beta"), s.Flag("repeat")) { Awp = new(s.Number("gamma"), s.Whole("start")) })
        {
            Parameters =
            [
                MethodParameter.Number("beta", "6", "weight of the divergence", "official code"),
                MethodParameter.Flag("repeat", true, "take p(x) from a second forward, which moves running statistics once more", "official code"),
                MethodParameter.Number("gamma", "0.005", "size of the perturbation relative to each tensor", "official code"),
                MethodParameter.Epoch("start", 10, "first epoch with perturbation", "official code"),
            ],
        },
    ];

    /// <inheritdoc/>
    public override string Name => Awp is null ? "trades" : "trades-awp";

    /// <inheritdoc/>
    public override PgdOptions Attack => Pgd.For(InnerLoss.Kl, PgdStart.Gaussian, ballFirst: true);

    /// <inheritdoc/>
    public override Loss Loss(Views v)
    {
        var (clean, adversarial) = (v.Clean, v.Adversarial);
        return v.CrossEntropy(clean) + Beta * v.Distill(RepeatClean ? v.Again(0) : clean, adversarial);
    }
}
