namespace Rpat.Engine.Distributed;

/// <summary>
/// This process's part of a batch that a team shares: rank r has the images First … First + Count
/// − 1, as many as its neighbours or one more.
/// A tape that is given it (<see cref="Tape.Shard"/>) computes what one process would on the whole
/// batch: batch norms take its statistics, means of
/// losses divide by its size, sample weights look at all of its logits. All processes must record and run the same tapes in the same order.
/// </summary>
/// <remarks>
/// Where a batch has fewer images than the team processes, some have none: they compute on one
/// image all the same, so that all do the same, and
/// nothing of it counts.
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

    /// <summary>The processes.</summary>
    public IProcessGroup Team { get; }

    /// <summary>Images of the whole batch.</summary>
    public int Total { get; }

    /// <summary>Place in the batch of this process's first image.</summary>
    public int First { get; }

    /// <summary>This process's images that count; perhaps none.</summary>
    public int Count { get; }

    /// <summary>Images that this process computes on: <see cref="Count"/>, or one that does not count.</summary>
    public int LocalRows => Math.Max(1, Count);

    /// <summary>First image and number of images of a rank.</summary>
    public (int First, int Count) ShardOf(int rank)
    {
        int each = Total / Team.Size, more = Total % Team.Size;
        return (rank * each + Math.Min(rank, more), each + (rank < more ? 1 : 0));
    }

    /// <summary>Rows of the whole batch that belong to rows of a part: twice as many where images have two views.</summary>
    public int GlobalRows(int rows) => rows / LocalRows * Total;

    /// <summary>Copies this process's rows out of the whole batch's. Views of the images stand one behind the
    /// other, in the whole and in the part.</summary>
    public void Take<T>(ReadOnlySpan<T> all, int rowLength, Span<T> mine)
    {
        int views = mine.Length / (LocalRows * rowLength), first = Count == 0 ? 0 : First;
        for (int view = 0; view < views; view++)
            all.Slice((view * Total + first) * rowLength, LocalRows * rowLength).CopyTo(mine[(view * LocalRows * rowLength)..]);
    }

    /// <summary>Puts the rows of all processes in the order that they have in the whole batch.</summary>
    /// <exception cref="PeerLostException">A process is gone.</exception>
    public void Gather<T>(ReadOnlySpan<T> mine, int rowLength, Span<T> all) where T : unmanaged
    {
        int views = mine.Length / (LocalRows * rowLength);
        for (int view = 0; view < views; view++)
            Team.AllGather(mine.Slice(view * LocalRows * rowLength, Count * rowLength),
                all.Slice(view * Total * rowLength, Total * rowLength));
    }
}
