using Rpat.Engine;

namespace Rpat.Robust;

/// <summary>PGD adversarial training (Madry et al., ICLR'18; methods.md 2.2): CE(z(x′), y).</summary>
/// <param name="Pgd">The attack.</param>
public sealed record PgdAt(PgdOptions Pgd) : Objective
{
    /// <inheritdoc/>
    public override string Name => "pgd-at";

    /// <inheritdoc/>
    public override PgdOptions Attack => Pgd;

    /// <inheritdoc/>
    public override Loss Loss(Views v) => v.CrossEntropy(v.Adversarial);
}
