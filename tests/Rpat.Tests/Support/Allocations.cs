namespace Rpat.Tests.Support;

/// <summary>
/// Bytes that a step allocates on the managed heap: the smallest of several counts, since what the step allocates is in all of them.
/// One count alone can be too high. Other threads allocate meanwhile; and a concurrent garbage collection charges the unused rest of a
/// thread's allocation context to that thread, which then seems to have allocated although it did nothing.
/// </summary>
internal static class Allocations
{
    private const int WarmUp = 3, Attempts = 20;

    /// <summary>On the calling thread and, where nothing else runs, on all threads.</summary>
    public static (long Own, long All) Of(Action step)
    {
        for (int i = 0; i < WarmUp; i++) step();
        long own = long.MaxValue, all = long.MaxValue;
        for (int i = 0; i < Attempts; i++)
        {
            long allBefore = GC.GetTotalAllocatedBytes(precise: true), ownBefore = GC.GetAllocatedBytesForCurrentThread();
            step();
            long ownAfter = GC.GetAllocatedBytesForCurrentThread(), allAfter = GC.GetTotalAllocatedBytes(precise: true);
            (own, all) = (Math.Min(own, ownAfter - ownBefore), Math.Min(all, allAfter - allBefore));
        }
        return (own, all);
    }
}
