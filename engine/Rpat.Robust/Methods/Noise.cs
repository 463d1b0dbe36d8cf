namespace Rpat.Robust.Methods;

/// <summary>Training on images with uniform noise in place of an attack (methods.md 5, M2): CE(z(clip(x + U(−ε, ε))), y).</summary>
/// <param name="Pgd">Norm and ε of the noise.</param>
[Method("noise", "training on images with uniform noise", "methods.md 5, M2", Attack = "uniform noise", Terms = "CE(x + noise)")]
public sealed record Noise(PgdOptions Pgd) : Objective
{
    /// <inheritdoc/>
    public override PgdOptions Attack => Pgd with { IsNoise = true };

    /// <inheritdoc/>
    public override IReadOnlyList<Assumption> Assumed => Assumptions.Motivation;

    /// <inheritdoc/>
    public override Loss Loss(ViewLogits v) => v.CrossEntropy(v.Adversarial, v.SampleWeights);
}
