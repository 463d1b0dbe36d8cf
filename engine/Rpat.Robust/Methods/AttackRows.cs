namespace Rpat.Robust.Methods;

/// <summary>
/// The attacks that methods train with, by their letters in methods.md 2.1; a start or batch-norm mode that the user sets takes precedence.
/// </summary>
public static class AttackRows
{
    /// <summary>From a random point of the ball, in evaluation mode (RPAT's benchmarks).</summary>
    public static PgdOptions A(this PgdOptions pgd, InnerLoss loss) => pgd.For(loss);

    /// <summary>From the image plus small noise, in evaluation mode (TRADES, MART, MAIL, CURE).</summary>
    public static PgdOptions B(this PgdOptions pgd, InnerLoss loss) =>
        pgd.For(loss, PgdStart.Gaussian, quirks: ReferenceQuirks.BallBeforeBox);

    /// <summary>From a random direction, in training mode (ReBAT, RPAT++, WA, AWP).</summary>
    public static PgdOptions C(this PgdOptions pgd) =>
        pgd.For(InnerLoss.CrossEntropy, PgdStart.Direction, BnMode.Train, ReferenceQuirks.BallBeforeBox);

    /// <summary>From a random point of the cube, in evaluation mode (TE).</summary>
    public static PgdOptions E(this PgdOptions pgd, InnerLoss loss) => pgd.For(loss, PgdStart.Cube, quirks: ReferenceQuirks.BallBeforeBox);

    /// <summary>From a random point of the ball, in training mode (ADR, KD+SWA).</summary>
    public static PgdOptions G(this PgdOptions pgd, InnerLoss loss) => pgd.For(loss, PgdStart.Ball, BnMode.Train);
}
