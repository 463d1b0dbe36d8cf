namespace Rpat.Robust.Modifiers;

/// <summary>
/// Label smoothing (Szegedy et al., CVPR'16) of a method's cross-entropies: a share of each target is the uniform distribution. The attack
/// keeps the sharp targets.
/// </summary>
/// <param name="Share">From 0 for none to 1.</param>
public sealed record LabelSmoothing(float Share) : Modifier
{
    /// <inheritdoc/>
    public override float Smoothing => Share;

    /// <inheritdoc/>
    public override Objective On(Objective method) => Share == 0 ? method : base.On(method);
}
