using Rpat.Engine;

namespace Rpat.Robust;

/// <summary>MAIL-AT (NeurIPS'21; methods.md 4.7): CE(x′) weighted by the probabilistic margin.</summary>
/// <param name="Pgd">The attack.</param>
/// <param name="Weights">The weights.</param>
/// <param name="Start">First epoch, counted from 1, with weights.</param>
public sealed record MailAt(PgdOptions Pgd, MarginWeights? Weights, int Start = 77) : Objective
{
    /// <inheritdoc/>
    public override string Name => "mail-at";

    /// <inheritdoc/>
    public override PgdOptions Attack => Pgd.For(InnerLoss.CrossEntropy, PgdStart.Gaussian);

    /// <inheritdoc/>
    public override Objective InEpoch(int epoch) => epoch < Start ? this with { Weights = null } : this;

    /// <inheritdoc/>
    public override Loss Loss(Views v) => v.CrossEntropy(v.Adversarial, Weights is null ? null : v.Weights(v.Adversarial, Weights.Weigh));
}
