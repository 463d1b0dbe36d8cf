using Rpat.Engine;

namespace Rpat.Robust;

/// <summary>PGD adversarial training (Madry et al., ICLR'18; methods.md 2.2): CE(z(x′), y).</summary>
/// <param name="Pgd">The attack.</param>
public sealed record PgdAt(PgdOptions Pgd) : Objective, IMethod
{
    /// <inheritdoc/>
    public static IReadOnlyList<MethodInfo> Methods { get; } =
    [
        new("pgd-at", "cross-entropy on PGD examples", "Madry et al., ICLR'18; methods.md 2.2",
            new("A on CE", "CE(x')"),
            static (_, pgd) => new PgdAt(pgd))
        {
            Assumed = Assumptions.Benchmarks,
        },
    ];

    /// <inheritdoc/>
    public override string Name => "pgd-at";

    /// <inheritdoc/>
    public override PgdOptions Attack => Pgd;

    /// <inheritdoc/>
    public override Loss Loss(Views v) => v.CrossEntropy(v.Adversarial);
}
