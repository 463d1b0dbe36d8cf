using Rpat.Engine;

namespace Rpat.Robust;

/// <summary>MAIL-AT (NeurIPS'21; methods.md 4.7): CE(x′) weighted by the probabilistic margin.</summary>
/// <param name="Pgd">The attack.</param>
/// <param name="Weights">The weights.</param>
/// <param name="Start">First epoch, counted from 1, with weights.</param>
public sealed record MailAt(PgdOptions Pgd, MarginWeights? Weights, int Start = 77) : Objective, IMethod
{
    /// <inheritdoc/>
    public static IReadOnlyList<MethodInfo> Methods { get; } =
    [
        new("mail-at", "cross-entropy weighted by the probabilistic margin", "Liu et al., NeurIPS'21; methods.md 4.7",
            new("B on CE", "CE(x')") { Weights = "3 sigmoid(slope (margin + bias))" },
            static (s, pgd) => new MailAt(pgd, new(s.Number("slope"), s.Number("bias")), s.Whole("start")))
        {
            Assumed =
            [
                new("method.name", "mail-at", "which variant the table calls MAIL: inferred from its low AutoAttack accuracy"),
                Assumptions.Network,
            ],
            NeedsOneClass = true,
            Parameters =
            [
                MethodParameter.Number("slope", "10", "steepness of the weights", "official code"),
                MethodParameter.Number("bias", "-0.5", "shift of the weights", "official code") with { Least = -1, Most = 1 },
                MethodParameter.Epoch("start", 77, "first epoch with weights", "official code: 76, counted from 0"),
            ],
        },
    ];

    /// <inheritdoc/>
    public override string Name => "mail-at";

    /// <inheritdoc/>
    public override PgdOptions Attack => Pgd.For(InnerLoss.CrossEntropy, PgdStart.Gaussian, ballFirst: true);

    /// <inheritdoc/>
    public override Objective InEpoch(int epoch) => epoch < Start ? this with { Weights = null } : this;

    /// <inheritdoc/>
    public override Loss Loss(Views v) => v.CrossEntropy(v.Adversarial, Weights is null ? null : v.Weights(v.Adversarial, Weights.Weigh));
}
