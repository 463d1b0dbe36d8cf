using Rpat.Engine;

namespace Rpat.Robust;

/// <summary>Annealing self-distillation rectification (ADR, ICLR'24; methods.md 4.11): CE(x′) and its attack against rectified targets.</summary>
/// <param name="Pgd">The attack.</param>
/// <param name="Rectified">The targets.</param>
public sealed record Adr(PgdOptions Pgd, RectifiedTarget Rectified) : Objective
{
    /// <inheritdoc/>
    public override string Name => "adr";

    /// <inheritdoc/>
    public override PgdOptions Attack => Pgd.For(InnerLoss.CrossEntropy, PgdStart.Ball, BnMode.Train);

    /// <inheritdoc/>
    public override Averaging? Average { get; init; } = new EmaAveraging(0.995f) { Report = false };

    /// <inheritdoc/>
    public override TargetRule Target => Rectified;

    /// <inheritdoc/>
    public override Loss Loss(Views v) => v.CrossEntropy(v.Adversarial);
}
