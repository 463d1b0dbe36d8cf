using Rpat.Engine;

namespace Rpat.Robust;

/// <summary>MAIL-TRADES (NeurIPS'21; methods.md 4.7): CE(x) + β·KL(p(x) ‖ p(x′)) weighted by the probabilistic margin.</summary>
/// <param name="Pgd">The attack; it maximises the divergence.</param>
/// <param name="Weights">The weights, or null for none.</param>
/// <param name="Beta">β.</param>
/// <param name="Start">First epoch, counted from 1, with weights.</param>
public sealed record MailTrades(PgdOptions Pgd, MarginWeights? Weights, float Beta = 5, int Start = 77) : Objective, IMethod
{
    /// <inheritdoc/>
    public static IReadOnlyList<MethodInfo> Methods { get; } =
    [
        new("mail-trades", "TRADES whose divergence is weighted by the probabilistic margin", "Liu et al., NeurIPS'21; methods.md 4.7",
            new("B on KL", "CE(x) + beta KL(p(x), p(x'))") { Weights = "3 sigmoid(slope (margin + bias)), of the divergence" },
            static (s, pgd) => new MailTrades(pgd, new(s.Number("slope"), s.Number("bias")), s.Number("beta"), s.Whole("start")))
        {
            NeedsOneClass = true,
            Parameters =
            [
                MethodParameter.Number("beta", "5", "weight of the divergence", "official code"),
                MethodParameter.Number("slope", "2", "steepness of the weights", "official code"),
                MethodParameter.Number("bias", "0", "shift of the weights", "official code") with { Least = -1, Most = 1 },
                MethodParameter.Epoch("start", 77, "first epoch with weights", "official code: 76, counted from 0"),
            ],
        },
    ];

    /// <inheritdoc/>
    public override string Name => "mail-trades";

    /// <inheritdoc/>
    public override PgdOptions Attack => Pgd.For(InnerLoss.Kl, PgdStart.Gaussian, ballFirst: true);

    /// <inheritdoc/>
    public override Objective InEpoch(int epoch) => epoch < Start ? this with { Weights = null } : this;

    /// <inheritdoc/>
    public override Loss Loss(Views v)
    {
        var (clean, adversarial) = (v.Clean, v.Adversarial);
        var weights = Weights is null ? null : v.Weights(adversarial, Weights.Weigh);
        return v.CrossEntropy(clean) + Beta * v.Distill(clean, adversarial, weights: weights);
    }
}
