namespace Rpat.PtxMachine.Memory;

/// <summary>A copy of one thread that is under way.</summary>
/// <param name="Filled">Bytes from the source; the rest becomes zero.</param>
/// <param name="Batch">Number of the thread's <c>commit_group</c> that it will belong to.</param>
internal readonly record struct Copy(int Lane, int Target, ulong Source, int Bytes, int Filled, int Batch);

/// <summary>The copies of a warp's threads that are under way, in the order in which they began.</summary>
internal sealed class CopyQueue
{
    private readonly List<Copy> _open = [];
    private readonly int[] _batches = new int[32];

    public void Clear()
    {
        _open.Clear();
        Array.Clear(_batches);
    }

    public void Add(int lane, int target, ulong source, int bytes, int filled) =>
        _open.Add(new Copy(lane, target, source, bytes, filled, _batches[lane]));

    public void Commit(uint mask)
    {
        for (int lane = 0; lane < 32; lane++) _batches[lane] += (int)(mask >> lane & 1);
    }

    /// <summary>Takes out what the threads of a mask wait for: all batches but their last <paramref name="pending"/>.</summary>
    public List<Copy> Take(uint mask, int pending)
    {
        List<Copy> done = _open.FindAll(Waited);
        if (done.Count > 0) _open.RemoveAll(Waited);
        return done;

        bool Waited(Copy copy) => (mask >> copy.Lane & 1) != 0 && copy.Batch < _batches[copy.Lane] - pending;
    }
}
