namespace Rpat.Robust.Modifiers;

/// <summary>
/// Label smoothing (Szegedy et al., CVPR'16) of a method's cross-entropies: a share of each target is the uniform distribution. The attack
/// keeps the sharp targets.
/// </summary>
/// <param name="Share">From 0 for none to 1.</param>
/// <exception cref="ArgumentException">It is another number.</exception>
public sealed record LabelSmoothing(float Share) : Modifier
{
    /// <summary>From 0 for none to 1.</summary>
    public float Share { get; init => field = (float)InputCheck.Between(0, 1, value); } =
        (float)InputCheck.Between(0, 1, Share, nameof(Share));

    /// <inheritdoc/>
    public override float Smoothing => Share;

    /// <inheritdoc/>
    public override Objective On(Objective method) => Share == 0 ? method : base.On(method);
}
