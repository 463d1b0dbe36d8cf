using Rpat.Engine;

namespace Rpat.Robust;

/// <summary>Temporal ensembling (TE, ICLR'22; methods.md 4.8): CE(x′) + w(e)·mean_k (p(x′) − t)², t the image's averaged predictions.</summary>
/// <param name="Pgd">The attack.</param>
/// <param name="Weight">w, a ramp over epochs.</param>
/// <param name="Decay">Share of the old average in the table.</param>
/// <param name="Active">Whether the table is used; it is not before the ramp begins.</param>
public sealed record Te(PgdOptions Pgd, RampCoefficient Weight, float Decay = 0.9f, bool Active = true) : Objective
{
    /// <inheritdoc/>
    public override string Name => "te";

    /// <inheritdoc/>
    public override PgdOptions Attack => Pgd.For(Active ? new MemorizationLoss(Weight) : InnerLoss.CrossEntropy);

    /// <inheritdoc/>
    public override HistoryRule? History => Active ? new HistoryRule(Decay, Weight.Start) : null;

    /// <inheritdoc/>
    public override Objective InEpoch(int epoch) => epoch < Weight.Start ? this with { Active = false } : this;

    /// <inheritdoc/>
    public override Loss Loss(Views v)
    {
        var loss = v.CrossEntropy(v.Adversarial);
        return Active ? loss + v.Times(Weight, v.Memory(v.Adversarial)) : loss;
    }
}
