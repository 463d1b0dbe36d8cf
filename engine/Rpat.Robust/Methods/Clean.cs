namespace Rpat.Robust.Methods;

/// <summary>Ordinary training: CE(z(x), y).</summary>
[Method("clean", "ordinary training on clean images", "methods.md 5, M1", Attack = "none", Terms = "CE(x)")]
public sealed record Clean : Objective
{
    /// <inheritdoc/>
    public override PgdOptions? Attack => null;

    /// <inheritdoc/>
    public override bool TakesRpat => false;

    /// <inheritdoc/>
    public override IReadOnlyList<Assumption> Assumed => Assumptions.Motivation;

    /// <inheritdoc/>
    public override Loss Loss(ViewLogits v) => v.CrossEntropy(v.Clean);
}
