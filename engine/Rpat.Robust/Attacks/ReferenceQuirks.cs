namespace Rpat.Robust.Attacks;

/// <summary>
/// What official codes do in addition to their papers' definitions, for runs that must follow them bit by bit (methods.md section 8): none
/// of it changes the loss of a step.
/// </summary>
[Flags]
public enum ReferenceQuirks
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>An L2 step is projected to the ball before the box (all attacks of methods.md 2.1 except A and G).</summary>
    BallBeforeBox = 1,

    /// <summary>One more training-mode forward scores the end of an attack even with a single restart: running statistics change.</summary>
    ScoredEnd = 2,

    /// <summary>A training-mode forward on x after the step logs clean accuracy: running statistics change.</summary>
    LoggedClean = 4,

    /// <summary>
    /// The clean logits of a divergence come from a second forward: the same numbers, but running statistics are updated once more.
    /// </summary>
    RepeatedClean = 8,

    /// <summary>The forward on x' comes before those on x (TRADES-AWP).</summary>
    AdversarialFirst = 16,
}
