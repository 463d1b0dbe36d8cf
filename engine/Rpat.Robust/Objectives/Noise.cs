using Rpat.Engine;

namespace Rpat.Robust;

/// <summary>Training on images with uniform noise in place of an attack (methods.md 5, M2): CE(z(clip(x + U(−ε, ε))), y).</summary>
/// <param name="Pgd">Norm and ε of the noise.</param>
public sealed record Noise(PgdOptions Pgd) : Objective, IMethod
{
    /// <inheritdoc/>
    public static IReadOnlyList<MethodInfo> Methods { get; } =
    [
        new("noise", "training on images with uniform noise", "methods.md 5, M2",
            new("uniform noise", "CE(x + noise)"),
            static (_, pgd) => new Noise(pgd))
        {
            Assumed = Assumptions.Motivation,
        },
    ];

    /// <inheritdoc/>
    public override string Name => "noise";

    /// <inheritdoc/>
    public override PgdOptions Attack => Pgd with { Steps = 0 };

    /// <inheritdoc/>
    public override Loss Loss(Views v) => v.CrossEntropy(v.Adversarial);
}
