using System.Numerics;

namespace Rpat.Distributed.Mpi;

/// <summary>
/// A process group over an MPI library. A sum goes through in pieces: each rank gets its slice of all ranks' values (MPI_Alltoallv), adds
/// them in rank order, and gives the result to all (MPI_Allgatherv), which is the traffic of a ring and has the bits of
/// <see cref="TcpProcessGroup"/>. A TCP group beside it carries heartbeats and the reason of a failure, since MPI has neither.
/// </summary>
/// <remarks>All collectives must be called on the thread that formed it: <see cref="BackgroundProcessGroup"/> sees to that.</remarks>
public sealed unsafe class MpiProcessGroup : IProcessGroup, ILossSource
{
    private const int Piece = 1 << 24; // bytes of one round: counts and places stay far below the 2³¹ that C's int holds
    private const int Small = 1 << 16; // bytes of all ranks' values that go to everyone at once, which saves a round

    private readonly MpiCalls _mpi;
    private readonly Action<Exception> _abandon;
    private readonly Action _requireAll;
    private readonly object _gate = new(); // whoever has it may use the caller's memory
    private readonly int _piece;
    private readonly byte* _out, _in;
    private readonly long* _heads;
    private readonly MpiParts _to, _from;
    private readonly long[] _lengths;
    private readonly TcpProcessGroup _side;
    private volatile Exception? _lost;
    private int _number;

    private MpiProcessGroup(MpiCalls mpi, TcpProcessGroup side, Action<Exception> abandon, int piece)
    {
        (_mpi, _side, _abandon, _requireAll, _piece, _lengths) = (mpi, side, abandon, RequireAll, piece, new long[mpi.Size]);
        (_to, _from) = (new MpiParts(mpi.Size), new MpiParts(mpi.Size));
        // A rank's slices of a piece are at most a value longer than their share.
        nuint room = (nuint)(piece + sizeof(double) * mpi.Size);
        _out = (byte*)NativeMemory.Alloc(room);
        _in = (byte*)NativeMemory.Alloc(room);
        _heads = (long*)NativeMemory.Alloc((nuint)(2 * (mpi.Size + 1)), sizeof(long));
        ((ILossSource)side).Lost += Abandon;
    }

    event Action<PeerLostException> ILossSource.Lost
    {
        add => ((ILossSource)_side).Lost += value;
        remove => ((ILossSource)_side).Lost -= value;
    }

    /// <inheritdoc/>
    public int Rank => _mpi.Rank;

    /// <inheritdoc/>
    public int Size => _mpi.Size;

    /// <summary>Initialises a library and waits until all processes are there.</summary>
    /// <param name="options">What all processes must agree on.</param>
    /// <param name="abandon">Ends the waits of <see cref="BackgroundProcessGroup"/>.</param>
    /// <exception cref="HandshakeException">The launcher belongs to another library, or a process is unlike this one.</exception>
    public static MpiProcessGroup Join(MpiLibrary library, MpiPlace place, ProcessGroupOptions options, Action<Exception> abandon) =>
        Join(library, place, options, abandon, Piece);

    internal static MpiProcessGroup Join(MpiLibrary library, MpiPlace place, ProcessGroupOptions options, Action<Exception> abandon,
        int piece)
    {
        LauncherHold.Begin();
        var mpi = Initialise(library, place, options.JoinTimeout, abandon);
        if (mpi.Size != place.Size)
            throw new HandshakeException(
                $"{place.Launcher} has started {place.Size} processes, but for {library.Description} this is rank {mpi.Rank} of "
                    + $"{mpi.Size}: "
                + $"it belongs to another launcher; name the launcher's library in {MpiLibrary.Variable}, or give run.transport=tcp.")
            { IsCommon = true };
        return new MpiProcessGroup(mpi, SideGroup.Join(mpi, place.IsLocal, options), abandon, piece);
    }

    // The library waits for all ranks, without a limit of its own.
    private static MpiCalls Initialise(MpiLibrary library, MpiPlace place, TimeSpan limit, Action<Exception> abandon)
    {
        string sentence = FormattableString.Invariant($"rank {place.Rank} has waited {limit.TotalSeconds:0} s for all {place.Size} ranks ")
            + $"to initialise {library.Description}: see what the missing ones said.";
        using var timer = new Timer(_ => abandon(new HandshakeException(sentence)), null, limit, Timeout.InfiniteTimeSpan);
        return new MpiCalls(library);
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
        try
        {
            Agree(Collective.Gather, from.Length);
            if (_lengths.Sum() != to.Length) throw Fault(CollectiveHeader.Gathered(_lengths.Sum(), to.Length));
            int most = Math.Max(1, _piece / Size);
            for (long done = 0; done < _lengths.Max(); done += most) GatherRound(from, to, done, most);
        }
        catch (MpiException error)
        {
            throw Explain(error);
        }
    }

    /// <inheritdoc/>
    public void Broadcast<T>(Span<T> values) where T : unmanaged
    {
        var bytes = MemoryMarshal.AsBytes(values);
        try
        {
            Agree(Collective.Broadcast, bytes.Length);
            for (int start = 0; start < bytes.Length; start += _piece)
            {
                var part = bytes.Slice(start, Math.Min(_piece, bytes.Length - start));
                if (Rank == 0) TakeIn(part, _out);
                _mpi.Broadcast(_out, part.Length);
                if (Rank != 0) GiveOut(_out, part);
            }
        }
        catch (MpiException error)
        {
            throw Explain(error);
        }
    }

    /// <inheritdoc/>
    public void Fail(int code, string sentence)
    {
        _side.Fail(code, sentence);
        Abandon(new InvalidOperationException(sentence));
    }

    /// <summary>
    /// Ends the library, which all ranks must do. After a failure it stays, since ending it would wait for the dead, and so does the memory
    /// that it may still write to.
    /// </summary>
    public void Dispose()
    {
        if (_lost is null) _mpi.Finish();
        _side.Dispose();
        if (_lost is not null) return;
        foreach (void* memory in new nint[] { (nint)_out, (nint)_in, (nint)_heads }) NativeMemory.Free(memory);
        _to.Dispose();
        _from.Dispose();
    }

    private void Sum<T>(Span<T> values, Collective kind) where T : unmanaged, IAdditionOperators<T, T, T>
    {
        int most = Math.Max(1, _piece / sizeof(T));
        try
        {
            Agree(kind, (long)values.Length * sizeof(T));
            if ((long)values.Length * sizeof(T) * Size <= Math.Min(Small, _piece)) SumSmall(values);
            else
                for (int start = 0; start < values.Length; start += most)
                    SumPiece(values.Slice(start, Math.Min(most, values.Length - start)));
        }
        catch (MpiException error)
        {
            throw Explain(error);
        }
    }

    private void SumSmall<T>(Span<T> values) where T : unmanaged, IAdditionOperators<T, T, T>
    {
        TakeIn<T>(values, _out);
        _mpi.AllGather(_out, values.Length * sizeof(T), _in);
        AddRanks<T>(values.Length);
        GiveOut(_in, values);
    }

    private void SumPiece<T>(Span<T> values) where T : unmanaged, IAdditionOperators<T, T, T>
    {
        int mine = RankOrder.Slice(values.Length, Rank, Size).Count;
        for (int rank = 0; rank < Size; rank++)
        {
            var (first, count) = RankOrder.Slice(values.Length, rank, Size);
            (_to.Starts[rank], _to.Counts[rank]) = (first * sizeof(T), count * sizeof(T));
            (_from.Starts[rank], _from.Counts[rank]) = (rank * mine * sizeof(T), mine * sizeof(T));
        }
        TakeIn<T>(values, _out);
        _mpi.AllToAll(_out, _to, _in, _from);
        AddRanks<T>(mine);
        _mpi.AllGather(_in, mine * sizeof(T), _out, _to);
        GiveOut(_out, values);
    }

    // The ranks' values lie one after the other, and their sum replaces the first.
    private void AddRanks<T>(int count) where T : unmanaged, IAdditionOperators<T, T, T>
    {
        var values = new ReadOnlySpan<T>(_in, count * Size);
        for (int rank = 1; rank < Size; rank++) RankOrder.Add(new Span<T>(_in, count), values.Slice(rank * count, count));
    }

    private void GatherRound(ReadOnlySpan<byte> from, Span<byte> to, long done, int most)
    {
        int end = 0, mine = (int)Math.Clamp(from.Length - done, 0, most);
        for (int rank = 0; rank < Size; rank++)
        {
            _from.Counts[rank] = (int)Math.Clamp(_lengths[rank] - done, 0, most);
            _from.Starts[rank] = end;
            end += _from.Counts[rank];
        }
        if (mine > 0) TakeIn(from.Slice((int)done, mine), _out);
        _mpi.AllGather(_out, mine, _in, _from);
        long place = 0;
        for (int rank = 0; rank < Size; place += _lengths[rank++])
            if (_from.Counts[rank] > 0) GiveOut(_in + _from.Starts[rank], to.Slice((int)(place + done), _from.Counts[rank]));
    }

    /// <summary>Compares what all ranks are about to do; also gives everyone's length.</summary>
    private void Agree(Collective kind, long bytes)
    {
        RequireAll();
        var mine = new CollectiveHeader(kind, ++_number, bytes);
        (_heads[0], _heads[1]) = (((long)kind << 32) | (uint)_number, bytes);
        _mpi.AllGather(_heads, 2 * sizeof(long), _heads + 2, _requireAll);
        for (int rank = 0; rank < Size; rank++)
        {
            long head = _heads[2 * rank + 2];
            _lengths[rank] = _heads[2 * rank + 3];
            var its = new CollectiveHeader((Collective)(head >> 32), (int)head, _lengths[rank]);
            if (mine.Difference(Rank, its, rank) is { } difference) throw Fault(difference);
        }
    }

    private void TakeIn<T>(ReadOnlySpan<T> values, byte* to) where T : unmanaged
    {
        lock (_gate)
        {
            RequireAll();
            values.CopyTo(new Span<T>(to, values.Length));
        }
    }

    private void GiveOut<T>(byte* from, Span<T> values) where T : unmanaged
    {
        lock (_gate)
        {
            RequireAll();
            new ReadOnlySpan<T>(from, values.Length).CopyTo(values);
        }
    }

    private void RequireAll()
    {
        if (_lost is { } lost) throw lost;
    }

    private void Abandon(Exception reason)
    {
        lock (_gate) _lost ??= reason;
        _abandon(_lost);
    }

    private InvalidOperationException Fault(string difference)
    {
        string sentence = CollectiveHeader.OutOfSync(difference);
        Fail(1, sentence);
        return new InvalidOperationException(sentence);
    }

    // The heartbeat knows better why, and may know it a little later.
    private Exception Explain(MpiException error)
    {
        for (int i = 0; i < 20 && _lost is null; i++) Thread.Sleep(100);
        if (_lost is not null) return _lost;
        _side.Fail(0, error.Message);
        Abandon(new PeerLostException(Rank, 0, error.Message, error));
        return _lost!;
    }
}
