namespace Rpat.Distributed.Mpi;

/// <summary>
/// The calls of an initialised library, each checked. All of them are for one thread, the one that has initialised it
/// (MPI_THREAD_FUNNELED), and all memory is native.
/// </summary>
internal sealed unsafe class MpiCalls
{
    private const int LongestError = 8192;
    private const int LongestStatus = 64; // bytes; MPI_Status has 20 to 32 in the families
    private const int Yields = 1000; // about as many microseconds on an idle machine

    private readonly MpiFunctions _mpi;
    private readonly MpiAbi _abi;
    private readonly nint* _request = (nint*)NativeMemory.AllocZeroed((nuint)sizeof(nint) + LongestStatus);

    /// <summary>Initialises the library.</summary>
    /// <exception cref="HandshakeException">It refuses.</exception>
    public MpiCalls(MpiLibrary library)
    {
        (_mpi, _abi) = (library.Functions, library.Abi);
        int provided = 0, rank = 0, size = 0;
        // This thread waits beside threads that compute: it gives way.
        NativeEnvironment.Default("OMPI_MCA_mpi_yield_when_idle", "1");
        // UCX, which MPICH may be built on, ends this process if a rank dies whose memory it reads.
        NativeEnvironment.Default("UCX_TLS", "^cma");
        if (_mpi.MPI_Init_thread(null, null, _abi.Funneled, &provided) != 0 || provided < _abi.Funneled)
            throw new HandshakeException(
                $"{library.Description} cannot be initialised for a program with threads: name another library in {MpiLibrary.Variable}.");
        Check(_mpi.MPI_Comm_set_errhandler(_abi.World, _abi.ErrorsReturn), nameof(_mpi.MPI_Comm_set_errhandler));
        Check(_mpi.MPI_Comm_rank(_abi.World, &rank), nameof(_mpi.MPI_Comm_rank));
        Check(_mpi.MPI_Comm_size(_abi.World, &size), nameof(_mpi.MPI_Comm_size));
        (Rank, Size) = (rank, size);
    }

    public int Rank { get; }

    public int Size { get; }

    /// <summary>Rank 0's bytes to all.</summary>
    public void Broadcast(void* bytes, int count) =>
        Check(_mpi.MPI_Bcast(bytes, count, _abi.Byte, 0, _abi.World), nameof(_mpi.MPI_Bcast));

    /// <summary>As many bytes of each rank, one after the other.</summary>
    public void AllGather(void* mine, int count, void* all) =>
        Check(_mpi.MPI_Allgather(mine, count, _abi.Byte, all, count, _abi.Byte, _abi.World), nameof(_mpi.MPI_Allgather));

    /// <summary>
    /// The same where ranks arrive at different times: a library waits busily, on a core that threads need to compute, and for ever if a
    /// rank has died.
    /// </summary>
    /// <param name="waiting">Called again and again; what it throws ends the wait.</param>
    public void AllGather(void* mine, int count, void* all, Action waiting)
    {
        const string function = nameof(_mpi.MPI_Iallgather);
        Check(_mpi.MPI_Iallgather(mine, count, _abi.Byte, all, count, _abi.Byte, _abi.World, _request), function);
        int done = 0;
        for (SpinWait wait = default; ; wait.SpinOnce(Yields))
        {
            Check(_mpi.MPI_Test(_request, &done, _request + 1), function);
            if (done != 0) return;
            waiting();
        }
    }

    /// <summary>The bytes of each rank, at their places.</summary>
    public void AllGather(void* mine, int count, void* all, in MpiParts parts) =>
        Check(_mpi.MPI_Allgatherv(mine, count, _abi.Byte, all, parts.Counts, parts.Starts, _abi.Byte, _abi.World),
            nameof(_mpi.MPI_Allgatherv));

    /// <summary>To each rank its part, and from each rank its part for this one.</summary>
    public void AllToAll(void* given, in MpiParts to, void* taken, in MpiParts from) =>
        Check(_mpi.MPI_Alltoallv(given, to.Counts, to.Starts, _abi.Byte, taken, from.Counts, from.Starts, _abi.Byte, _abi.World),
            nameof(_mpi.MPI_Alltoallv));

    /// <summary>Ends the library; all ranks must call it.</summary>
    public void Finish() => _mpi.MPI_Finalize();

    private void Check(int code, string function)
    {
        if (code == 0) return;
        byte* text = stackalloc byte[LongestError + 1];
        int length = 0;
        bool known = _mpi.MPI_Error_string(code, text, &length) == 0;
        throw new MpiException(function, known ? Encoding.UTF8.GetString(text, Math.Clamp(length, 0, LongestError)) : $"error {code}");
    }
}

/// <summary>Bytes for or from each rank, and where they begin.</summary>
internal readonly unsafe struct MpiParts(int size) : IDisposable
{
    public int* Counts { get; } = (int*)NativeMemory.AllocZeroed((nuint)size, sizeof(int));

    public int* Starts { get; } = (int*)NativeMemory.AllocZeroed((nuint)size, sizeof(int));

    public void Dispose()
    {
        NativeMemory.Free(Counts);
        NativeMemory.Free(Starts);
    }
}

/// <summary>A function of the library has failed.</summary>
internal sealed class MpiException(string function, string text)
    : Exception($"{function} failed ({text.ReplaceLineEndings(" ").TrimEnd('.')})");
