using Rpat.Engine;

namespace Rpat.Robust;

/// <summary>
/// MAIL-MART (NeurIPS'21; methods.md 4.7): MART whose boosted cross-entropy, CE(x′) − log(1.0001 − p_j(x′)), is weighted by the
/// probabilistic margin.
/// </summary>
/// <param name="Pgd">The attack.</param>
/// <param name="Weights">The weights, or null for none.</param>
/// <param name="Beta">β.</param>
/// <param name="Start">First epoch, counted from 1, with weights.</param>
public sealed record MailMart(PgdOptions Pgd, MarginWeights? Weights, float Beta = 5, int Start = 77) : Objective, IMethod
{
    /// <inheritdoc/>
    public static IReadOnlyList<MethodInfo> Methods { get; } =
    [
        new("mail-mart", "MART whose boosted cross-entropy is weighted by the probabilistic margin", "Liu et al., NeurIPS'21; methods.md 4.7",
            new("B on CE", "CE(x') + complement(x') + beta (1 - p_y(x)) KL(p(x), p(x'))")
            {
                Weights = "3 sigmoid(slope (margin + bias)), of the first two; 1 - p_y(x), with gradient",
            },
            static (s, pgd) => new MailMart(pgd, new(s.Number("slope"), s.Number("bias")), s.Number("beta"), s.Whole("start")))
        {
            NeedsOneClass = true,
            Parameters =
            [
                MethodParameter.Number("beta", "5", "weight of the divergence", Like) with { Uncertain = true },
                MethodParameter.Number("slope", "2", "steepness of the weights", Like) with { Uncertain = true },
                MethodParameter.Number("bias", "0", "shift of the weights", Like) with { Least = -1, Most = 1, Uncertain = true },
                MethodParameter.Epoch("start", 77, "first epoch with weights", "official code: 76, counted from 0"),
            ],
        },
    ];

    private const string Like = "as for MAIL-TRADES: the official code's README has no values for this variant";

    /// <inheritdoc/>
    public override string Name => "mail-mart";

    /// <inheritdoc/>
    public override PgdOptions Attack => Pgd.For(InnerLoss.CrossEntropy, PgdStart.Gaussian, ballFirst: true);

    /// <inheritdoc/>
    public override Objective InEpoch(int epoch) => epoch < Start ? this with { Weights = null } : this;

    /// <inheritdoc/>
    public override Loss Loss(Views v)
    {
        var (clean, adversarial) = (v.Clean, v.Adversarial);
        var weights = Weights is null ? null : v.Weights(adversarial, Weights.Weigh);
        return v.CrossEntropy(adversarial, weights) + v.Complement(adversarial, weights) + Beta * v.MartDistill(clean, adversarial);
    }
}
