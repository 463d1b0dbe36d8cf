namespace Rpat.Tests.Distributed;

/// <summary>
/// Threads of this process that stand for the ranks of a native library, and what its functions need: each rank's arguments, visible to all
/// between two barriers.
/// </summary>
internal sealed class RankWorld(int size) : IDisposable
{
    [ThreadStatic]
    private static (RankWorld World, int Rank) _here;

    private readonly Barrier _barrier = new(size);
    private readonly nint[][] _given = new nint[size][];

    public static RankWorld Here => _here.World;

    public static int Rank => _here.Rank;

    public int Size => size;

    /// <summary>Makes the current thread a rank.</summary>
    public void Enter(int rank) => _here = (this, rank);

    /// <summary>Gives this rank's arguments, does something with those of all, and waits until all have done so.</summary>
    public int Together(nint[] mine, Action<nint[][]> work)
    {
        _given[Rank] = mine;
        _barrier.SignalAndWait();
        work(_given);
        _barrier.SignalAndWait();
        return 0;
    }

    public void Dispose() => _barrier.Dispose();
}
