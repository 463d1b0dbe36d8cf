namespace Rpat.Engine.Distributed;

/// <summary>
/// This process's shard of a batch that a process group shares: rank r has the images First … First + Count − 1; counts differ by at most
/// one. A tape with a shard (<see cref="Tape.Shard"/>) computes what one process would on the whole batch: batch norms use its statistics,
/// means of losses divide by its size, sample weights depend on all of its logits. All processes must record and run the same tapes in the
/// same order.
/// </summary>
/// <remarks>
/// If a batch has fewer images than the group has processes, some processes have none: they still compute on one image, so that all make
/// the same calls, but its results do not count.
/// </remarks>
public sealed class BatchShard
{
    /// <summary>Divides a batch.</summary>
    public BatchShard(IProcessGroup team, int total)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(total);
        (Team, Total) = (team, total);
        (First, Count) = ShardOf(team.Rank);
    }

    /// <summary>The process group.</summary>
    public IProcessGroup Team { get; }

    /// <summary>Images of the whole batch.</summary>
    public int Total { get; }

    /// <summary>Index in the batch of this process's first image.</summary>
    public int First { get; }

    /// <summary>This process's images that count; may be 0.</summary>
    public int Count { get; }

    /// <summary>Images that this process computes on: <see cref="Count"/>, or one that does not count.</summary>
    public int LocalRows => Math.Max(1, Count);

    /// <summary>First image and number of images of a rank.</summary>
    public (int First, int Count) ShardOf(int rank)
    {
        int each = Total / Team.Size, more = Total % Team.Size;
        return (rank * each + Math.Min(rank, more), each + (rank < more ? 1 : 0));
    }

    /// <summary>The number of rows in the whole batch for a number of rows in the shard: twice the images if they have two views.</summary>
    public int GlobalRows(int rows) => rows / LocalRows * Total;

    /// <summary>
    /// Copies this process's rows out of the whole batch. Views of the images follow each other, in the whole batch and in the shard.
    /// </summary>
    public void Take<T>(ReadOnlySpan<T> all, int rowLength, Span<T> mine)
    {
        int views = mine.Length / (LocalRows * rowLength), first = Count == 0 ? 0 : First;
        for (int view = 0; view < views; view++)
            all.Slice((view * Total + first) * rowLength, LocalRows * rowLength).CopyTo(mine[(view * LocalRows * rowLength)..]);
    }

    /// <summary>Arranges the rows of all processes in the order of the whole batch.</summary>
    /// <exception cref="PeerLostException">A process is lost.</exception>
    public void Gather<T>(ReadOnlySpan<T> mine, int rowLength, Span<T> all) where T : unmanaged
    {
        int views = mine.Length / (LocalRows * rowLength);
        for (int view = 0; view < views; view++)
            Team.AllGather(mine.Slice(view * LocalRows * rowLength, Count * rowLength),
                all.Slice(view * Total * rowLength, Total * rowLength));
    }
}
