namespace Rpat.Distributed.Nccl;

/// <summary>
/// A process group whose gradients stay on the GPUs and go over NCCL, on a stream of its own; all else goes over the group it is made on,
/// which also carries NCCL's id, heartbeats and failures. One thread, the one that queues kernels, may use it.
/// </summary>
/// <remarks>No machine with NVIDIA GPUs was available: it has run against a stand-in for the library only.</remarks>
public sealed unsafe class NcclProcessGroup : IDeviceProcessGroup
{
    private const int Float32 = 7, Add = 0, Quad = 4; // ncclFloat32, ncclSum; words that kernels read at once

    private readonly BackgroundProcessGroup _host;
    private readonly NcclLibrary _nccl;
    private readonly NcclFunctions _functions;
    private readonly Device _device;
    private readonly INcclDevice _gpu;
    private readonly bool _ordered;
    private nint _communicator;
    private bool _isAdding;
    private DeviceBuffer? _slices;
    private volatile PeerLostException? _lost;

    /// <summary>Makes NCCL's communicator; all ranks must do so.</summary>
    /// <param name="host">The group that is there; it stays its owner's.</param>
    /// <param name="gpu">This rank's GPU; this object owns it from here on.</param>
    /// <param name="ordered">Whether sums are added in rank order, with the bits of other transports, instead of NCCL's own.</param>
    /// <exception cref="NcclException">NCCL refuses.</exception>
    public NcclProcessGroup(BackgroundProcessGroup host, NcclLibrary nccl, Device device, INcclDevice gpu, bool ordered)
    {
        (_host, _nccl, _functions, _device, _gpu, _ordered) = (host, nccl, nccl.Functions, device, gpu, ordered);
        var id = Id();
        nint communicator = 0;
        nccl.Check(_functions.ncclCommInitRank(&communicator, Size, id, Rank), nameof(_functions.ncclCommInitRank));
        _communicator = communicator;
        // A kernel that waits for a dead rank would never end.
        ((ILossSource)host).Lost += Abort;
    }

    /// <inheritdoc/>
    public int Rank => _host.Rank;

    /// <inheritdoc/>
    public int Size => _host.Size;

    /// <inheritdoc/>
    public void StartAllReduce(DeviceBuffer values)
    {
        _isAdding = true;
        _gpu.AfterCompute();
        if (_ordered) AddInOrder(values);
        else
            Check(_functions.ncclAllReduce(_gpu.AddressOf(values), _gpu.AddressOf(values), (nuint)values.Length, Float32, Add,
                _communicator, _gpu.Stream), nameof(_functions.ncclAllReduce));
    }

    /// <inheritdoc/>
    public void Wait()
    {
        _host.Wait();
        int error = 0;
        Check(_functions.ncclCommGetAsyncError(_communicator, &error), nameof(_functions.ncclCommGetAsyncError));
        Check(error, "a collective");
        _gpu.BeforeCompute();
        _isAdding = false;
    }

    /// <inheritdoc/>
    public void AllReduce(Span<float> values) => _host.AllReduce(values);

    /// <inheritdoc/>
    public void AllReduce(Span<double> values) => _host.AllReduce(values);

    /// <inheritdoc/>
    public void StartAllReduce(Memory<float> values) => _host.StartAllReduce(values);

    /// <inheritdoc/>
    public void AllGather<T>(ReadOnlySpan<T> mine, Span<T> all) where T : unmanaged => _host.AllGather(mine, all);

    /// <inheritdoc/>
    public void Broadcast<T>(Span<T> values) where T : unmanaged => _host.Broadcast(values);

    /// <inheritdoc/>
    public void Fail(int code, string sentence) => _host.Fail(code, sentence);

    /// <summary>Ends NCCL's communicator and the stream; the group that it was made on stays.</summary>
    public void Dispose()
    {
        ((ILossSource)_host).Lost -= Abort;
        nint communicator = Interlocked.Exchange(ref _communicator, 0);
        // A sum that was started and not waited for belongs to a step that failed: other ranks may not take part in it.
        if (communicator != 0) _ = _isAdding ? _functions.ncclCommAbort(communicator) : _functions.ncclCommDestroy(communicator);
        if (_slices is not null) _device.Free(_slices);
        _gpu.Dispose();
    }

    private NcclId Id()
    {
        NcclId id = default;
        if (Rank == 0) _nccl.Check(_functions.ncclGetUniqueId(&id), nameof(_functions.ncclGetUniqueId));
        _host.Broadcast(new Span<byte>(id.Bytes, NcclId.Length));
        return id;
    }

    // Slices to their ranks, added there by this device's kernels in rank order, and the results to all.
    private void AddInOrder(DeviceBuffer values)
    {
        var mine = SliceOf(values, Rank);
        long count = mine.Length, room = (count + Quad - 1) / Quad * Quad;
        var slices = Slices(room);
        DeviceBuffer From(int rank) => slices.View(rank * room, count);
        Exchange(rank => SliceOf(values, rank), From);
        _gpu.BeforeCompute();
        for (int rank = 0; rank < Size && count > 0; rank++)
            _device.Kernels.Scale(count, From(rank), 1, accumulate: rank > 0, mine);
        _gpu.AfterCompute();
        Exchange(_ => mine, rank => SliceOf(values, rank));
    }

    // Kernels read quads, so slices begin at whole ones.
    private DeviceBuffer SliceOf(DeviceBuffer values, int rank)
    {
        var (first, count) = RankOrder.Slice(checked((int)((values.Length + Quad - 1) / Quad)), rank, Size);
        long start = Math.Min(values.Length, (long)first * Quad);
        return values.View(start, Math.Min(values.Length - start, (long)count * Quad));
    }

    private void Exchange(Func<int, DeviceBuffer> to, Func<int, DeviceBuffer> from)
    {
        Check(_functions.ncclGroupStart(), nameof(_functions.ncclGroupStart));
        for (int rank = 0; rank < Size; rank++)
        {
            var (given, taken) = (to(rank), from(rank));
            nint source = _gpu.AddressOf(given), target = _gpu.AddressOf(taken);
            if (rank == Rank && source == target) continue; // this rank's own result is in its place
            if (given.Length > 0)
                Check(_functions.ncclSend(source, (nuint)given.Length, Float32, rank, _communicator, _gpu.Stream),
                    nameof(_functions.ncclSend));
            if (taken.Length > 0)
                Check(_functions.ncclRecv(target, (nuint)taken.Length, Float32, rank, _communicator, _gpu.Stream),
                    nameof(_functions.ncclRecv));
        }
        Check(_functions.ncclGroupEnd(), nameof(_functions.ncclGroupEnd));
    }

    private DeviceBuffer Slices(long room)
    {
        long needed = Math.Max(Quad, room * Size);
        if (_slices is not null && _slices.Length >= needed) return _slices;
        if (_slices is not null) _device.Free(_slices);
        return _slices = _device.Allocate(needed);
    }

    private void Check(int code, string function)
    {
        if (code == 0) return;
        if (_lost is { } lost) throw new PeerLostException(lost.Rank, lost.Code, lost.Message, lost);
        _host.Wait(); // if a rank is lost, this says so
        _nccl.Check(code, function);
    }

    private void Abort(PeerLostException lost)
    {
        _lost = lost;
        nint communicator = Interlocked.Exchange(ref _communicator, 0);
        if (communicator != 0) _functions.ncclCommAbort(communicator);
    }
}
