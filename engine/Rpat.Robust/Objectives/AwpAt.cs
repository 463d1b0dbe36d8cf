using Rpat.Engine;

namespace Rpat.Robust;

/// <summary>AT-AWP (NeurIPS'20; methods.md 4.3): PGD-AT at adversarially perturbed weights.</summary>
/// <param name="Pgd">The attack.</param>
public sealed record AwpAt(PgdOptions Pgd) : Objective
{
    /// <inheritdoc/>
    public override string Name => "awp";

    /// <inheritdoc/>
    public override PgdOptions Attack => Pgd.For(InnerLoss.CrossEntropy, PgdStart.Direction, BnMode.Train);

    /// <inheritdoc/>
    public override WeightPerturbation? Awp { get; init; } = new(0.01f);

    /// <inheritdoc/>
    public override bool LogsClean => Attack.ScoresEnd;

    /// <inheritdoc/>
    public override Loss Loss(Views v) => v.CrossEntropy(v.Adversarial);
}
