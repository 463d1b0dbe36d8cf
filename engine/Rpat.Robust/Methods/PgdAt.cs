namespace Rpat.Robust.Methods;

/// <summary>PGD adversarial training (Madry et al., ICLR'18; methods.md 2.2): CE(z(x′), y).</summary>
[Method("pgd-at", "cross-entropy on PGD examples", "Madry et al., ICLR'18; methods.md 2.2", Attack = "A on CE", Terms = "CE(x')")]
public sealed record PgdAt(PgdOptions Pgd) : Objective
{
    /// <inheritdoc/>
    public override PgdOptions Attack => Pgd;

    /// <inheritdoc/>
    public override bool IsCrossEntropy => true;

    /// <inheritdoc/>
    public override IReadOnlyList<Assumption> Assumed => Assumptions.Benchmarks;

    /// <inheritdoc/>
    public override Loss Loss(ViewLogits v) => v.CrossEntropy(v.Adversarial, v.SampleWeights);
}
