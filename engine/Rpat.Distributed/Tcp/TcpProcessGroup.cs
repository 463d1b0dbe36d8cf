using System.Numerics;

namespace Rpat.Distributed.Tcp;

/// <summary>
/// A process group over TCP, a star around rank 0: rank 0 receives from ranks 1, 2, … in turn, adds in that order, and sends the result to
/// all. Buffers are the caller's or allocated once; only small setup messages allocate.
/// </summary>
public sealed class TcpProcessGroup : IProcessGroup, ILossSource
{
    private const int ChunkBytes = 1 << 18;

    private readonly Connection[] _links; // of rank 0: to ranks 1, 2, …; of the others: to rank 0
    private readonly Heartbeat? _pulse;
    private readonly byte[] _chunk;
    private int _number;
    private bool _failed;

    internal TcpProcessGroup(int rank, int size, Connection[] data, Connection[] pulse, ProcessGroupOptions options)
    {
        (Rank, Size, _links, _chunk) = (rank, size, data, new byte[size > 1 && rank == 0 ? ChunkBytes : 0]);
        foreach (var link in data) (link.Socket.ReceiveTimeout, link.Socket.SendTimeout) = (0, 0);
        if (size <= 1) return;
        _pulse = new Heartbeat(pulse, options.HeartbeatTimeout);
        _pulse.Lost += _ => Cut();
    }

    event Action<PeerLostException> ILossSource.Lost
    {
        add
        {
            if (_pulse is not null) _pulse.Lost += value;
        }
        remove
        {
            if (_pulse is not null) _pulse.Lost -= value;
        }
    }

    /// <inheritdoc/>
    public int Rank { get; }

    /// <inheritdoc/>
    public int Size { get; }

    /// <summary>A group of one process, which needs no connection.</summary>
    public static TcpProcessGroup Alone() => new(0, 1, [], [], new ProcessGroupOptions("", ""));

    /// <summary>Joins the rendezvous that rank 0 holds open (<see cref="Rendezvous"/>) and waits until all processes are there.</summary>
    /// <param name="host">Name or address of rank 0's machine.</param>
    /// <param name="rank">This process's rank, from 1.</param>
    /// <param name="options">What all processes must agree on.</param>
    /// <exception cref="HandshakeException">Rank 0 cannot be reached, or refuses this or another process.</exception>
    public static TcpProcessGroup Join(string host, int port, int rank, int size, ProcessGroupOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rank, 1);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(size, rank);
        var (data, pulse) = Connector.RankZero(host, port, rank, size, options);
        return new TcpProcessGroup(rank, size, [data], [pulse], options);
    }

    /// <inheritdoc/>
    public void AllReduce(Span<float> values) => Sum(values, Collective.SumFloats);

    /// <inheritdoc/>
    public void AllReduce(Span<double> values) => Sum(values, Collective.SumDoubles);

    /// <inheritdoc/>
    public void AllGather<T>(ReadOnlySpan<T> mine, Span<T> all) where T : unmanaged
    {
        var from = MemoryMarshal.AsBytes(mine);
        var to = MemoryMarshal.AsBytes(all);
        _number++;
        try
        {
            if (Rank == 0) Collect(from, to);
            else _links[0].Send((byte)Collective.Gather, _number, from);
            Spread(Collective.Gather, to);
        }
        catch (LinkException broken)
        {
            throw Lost(broken);
        }
    }

    /// <inheritdoc/>
    public void Broadcast<T>(Span<T> values) where T : unmanaged
    {
        _number++;
        try
        {
            Spread(Collective.Broadcast, MemoryMarshal.AsBytes(values));
        }
        catch (LinkException broken)
        {
            throw Lost(broken);
        }
    }

    /// <inheritdoc/>
    public void Fail(int code, string sentence)
    {
        if (_failed) return;
        _failed = true;
        _pulse?.Fail(Rank, code, sentence);
        Cut();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _pulse?.Dispose();
        foreach (var link in _links) link.Dispose();
    }

    private void Sum<T>(Span<T> values, Collective kind) where T : unmanaged, IAdditionOperators<T, T, T>
    {
        _number++;
        try
        {
            if (Rank > 0) _links[0].Send((byte)kind, _number, MemoryMarshal.AsBytes(values));
            else
                foreach (var link in _links) Add(link, kind, values);
            Spread(kind, MemoryMarshal.AsBytes(values));
        }
        catch (LinkException broken)
        {
            throw Lost(broken);
        }
    }

    // Chunk by chunk, so that no second buffer as large as the network's gradients is needed.
    private unsafe void Add<T>(Connection link, Collective kind, Span<T> values) where T : unmanaged, IAdditionOperators<T, T, T>
    {
        Expect(link, kind, (long)values.Length * sizeof(T));
        int most = ChunkBytes / sizeof(T);
        for (int start = 0; start < values.Length; start += most)
        {
            var part = values.Slice(start, Math.Min(most, values.Length - start));
            var received = _chunk.AsSpan(0, part.Length * sizeof(T));
            link.ReceiveAll(received);
            RankOrder.Add(part, MemoryMarshal.Cast<byte, T>(received));
        }
    }

    private void Collect(ReadOnlySpan<byte> mine, Span<byte> all)
    {
        Take(mine.Length, all);
        mine.CopyTo(all);
        int end = mine.Length;
        foreach (var link in _links)
        {
            long length = Expect(link, Collective.Gather, mine.Length);
            var place = all[end..];
            Take(length, place);
            link.ReceiveAll(place[..(int)length]);
            end += (int)length;
        }
        if (end != all.Length) throw Fault(CollectiveHeader.Gathered(end, all.Length));
    }

    private void Take(long length, Span<byte> place)
    {
        if (length > place.Length) throw Fault($"{length} bytes do not fit into {place.Length}");
    }

    /// <summary>From rank 0 to all others.</summary>
    private void Spread(Collective kind, Span<byte> bytes)
    {
        if (Rank == 0)
        {
            foreach (var link in _links) link.Send((byte)kind, _number, bytes);
            return;
        }
        long length = Expect(_links[0], kind, bytes.Length);
        if (length != bytes.Length) throw Fault(CollectiveHeader.Gathered(length, bytes.Length));
        _links[0].ReceiveAll(bytes);
    }

    private long Expect(Connection link, Collective kind, long length)
    {
        var (found, number, bytes) = link.ReceiveHeader();
        var its = new CollectiveHeader((Collective)found, number, bytes);
        string? difference = new CollectiveHeader(kind, _number, length).Difference(Rank, its, link.Peer);
        return difference is null ? bytes : throw Fault(difference);
    }

    private InvalidOperationException Fault(string difference)
    {
        string sentence = CollectiveHeader.OutOfSync(difference);
        Fail(1, sentence);
        return new InvalidOperationException(sentence);
    }

    private PeerLostException Lost(LinkException broken)
    {
        _failed = true;
        return _pulse!.Explain(broken);
    }

    private void Cut()
    {
        foreach (var link in _links) link.Cut();
    }
}
