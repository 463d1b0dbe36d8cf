namespace Rpat.Robust.Attacks;

/// <summary>
/// When APGD has its checkpoints (attacks.md 2.2): windows of 22 % of the iterations, shrinking by 3 % to a minimum of 6 %, in whole
/// iterations. Always derived from the actual number of iterations.
/// </summary>
internal readonly struct ApgdSchedule(int iterations)
{
    private readonly int _least = Math.Max((int)(0.06 * iterations), 1);
    private readonly int _shrink = Math.Max((int)(0.03 * iterations), 1);

    /// <summary>Iterations until the first checkpoint.</summary>
    public int First { get; } = Math.Max((int)(0.22 * iterations), 1);

    /// <summary>The window that follows one of this length.</summary>
    public int After(int window) => Math.Max(window - _shrink, _least);

    /// <summary>The iteration numbers after which there is a checkpoint.</summary>
    public IEnumerable<int> Checkpoints()
    {
        int window = First;
        for (int at = window; at <= iterations; at += window)
        {
            yield return at;
            window = After(window);
        }
    }
}
