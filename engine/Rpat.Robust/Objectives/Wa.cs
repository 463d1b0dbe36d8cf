using Rpat.Engine;

namespace Rpat.Robust;

/// <summary>Weight averaging (SWA, UAI'18; as in ReBAT's table; methods.md 4.1): PGD-AT whose averaged network is reported.</summary>
/// <param name="Pgd">The attack.</param>
public sealed record Wa(PgdOptions Pgd) : Objective
{
    /// <inheritdoc/>
    public override string Name => "wa";

    /// <inheritdoc/>
    public override PgdOptions Attack => Pgd.For(InnerLoss.CrossEntropy, PgdStart.Direction, BnMode.Train);

    /// <inheritdoc/>
    public override Averaging? Average { get; init; } = new EmaAveraging(0.999f, ReBat.PublishedStart);

    /// <inheritdoc/>
    public override bool LogsClean => Attack.ScoresEnd;

    /// <inheritdoc/>
    public override Loss Loss(Views v) => v.CrossEntropy(v.Adversarial);
}
