using Rpat.Engine;

namespace Rpat.Robust;

/// <summary>Consistency-AT (AAAI'22; methods.md 2.5): CE(x′) + λ·JSD of the two attacked views of each image.</summary>
/// <param name="Pgd">The attack, on both views.</param>
/// <param name="Weight">λ.</param>
/// <param name="Temperature">T of the divergence.</param>
public sealed record ConsistencyAt(PgdOptions Pgd, float Weight = 1, float Temperature = 0.5f) : Objective
{
    /// <inheritdoc/>
    public override string Name => "consistency-at";

    /// <inheritdoc/>
    public override PgdOptions Attack => Pgd;

    /// <inheritdoc/>
    public override bool TwoViews => true;

    /// <inheritdoc/>
    public override Loss Loss(Views v) => v.CrossEntropy(v.Adversarial) + Weight * v.Consistency(v.Adversarial, Temperature);
}
