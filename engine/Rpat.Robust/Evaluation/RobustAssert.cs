namespace Rpat.Robust.Evaluation;

/// <summary>A network is less robust than a test requires.</summary>
/// <param name="message">One sentence: what was measured, and what was required.</param>
public sealed class RobustnessException(string message) : Exception(message);

/// <summary>
/// Robustness as a unit test, in any test framework: an exception is a failed test. A fixed seed makes the verdict reproducible.
/// </summary>
public static class RobustAssert
{
    /// <summary>Requires that a share of the images stays correct under an attack.</summary>
    /// <param name="net">The network, used in eval mode.</param>
    /// <param name="images"><c>[N, C, H, W]</c> in [0,1].</param>
    /// <param name="labels">True classes <c>[N]</c>.</param>
    /// <param name="eps">Radius in pixel units, such as <c>8 / 255.0</c>.</param>
    /// <param name="atLeast">Required share of correct images, 0 to 1.</param>
    /// <param name="attack">A name of <see cref="AttackCatalog"/>; <c>aa</c> is AutoAttack.</param>
    /// <param name="norm">The norm; L∞ when null.</param>
    /// <exception cref="RobustnessException">Fewer stay correct.</exception>
    /// <exception cref="ArgumentException">There is no such attack, or images, labels, radius or share are invalid.</exception>
    public static void Holds(
        Classifier net, ReadOnlySpan<float> images, ReadOnlySpan<int> labels, double eps, double atLeast, string attack = "pgd20",
        Norm? norm = null, SweepOptions? options = null)
    {
        if (!(atLeast is >= 0 and <= 1)) throw new ArgumentException(FormattableString.Invariant(
            $"RobustAssert: {atLeast} is no share of images, which lies between 0 and 1: write 0.45 for 45 %."));
        norm ??= Norm.Linf;
        var sweep = EpsilonSweep.Run(net, attack, norm, images, labels, [eps], options);
        if (sweep.Infeasible(0) > 0)
            throw new RobustnessException(
                $"{attack} left ball or box {sweep.Infeasible(0)} times, so that nothing is shown: a mistake of the attack.");
        if (sweep.Accuracy(0) >= atLeast) return;
        var interval = WilsonInterval.Of(sweep.Robust(0), sweep.Images);
        throw new RobustnessException(FormattableString.Invariant(
            $"The network is right on {sweep.Robust(0)} of {sweep.Images} images under {attack} ({norm.Name}, eps {eps * 255:0.##}/255), {100 * sweep.Accuracy(0):F1} % with a 95 % interval of {100 * interval.Low:F1} to {100 * interval.High:F1} %, where at least {100 * atLeast:0.##} % is wanted."));
    }
}
