namespace Rpat.Robust.Attacks;

/// <summary>
/// What the official codes do beside their papers' definitions, for runs that are to follow them bit by bit (methods.md section 8): none of
/// it changes the loss of a step.
/// </summary>
[Flags]
public enum ReferenceQuirks
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>An L2 step is projected to the ball before the box (all attacks of methods.md 2.1 but A and G).</summary>
    BallBeforeBox = 1,

    /// <summary>
    /// One more training-mode forward scores the end of an attack although there is one restart: running statistics move.
    /// </summary>
    ScoredEnd = 2,

    /// <summary>A training-mode forward on x after the step logs clean accuracy: running statistics move.</summary>
    LoggedClean = 4,

    /// <summary>
    /// The clean logits of a divergence are from a second forward: the same numbers, and running statistics move once more.
    /// </summary>
    RepeatedClean = 8,

    /// <summary>The forward on x' comes before those on x (TRADES-AWP).</summary>
    AdversarialFirst = 16,
}
