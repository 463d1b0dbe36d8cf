using System.Collections.Concurrent;

namespace Rpat.Tests.Distributed;

/// <summary>An MPI library whose ranks are threads. It checks what it is given and remembers from which threads it was called.</summary>
internal static unsafe class MpiStandIn
{
    public const int Refused = 77;

    private static readonly ConcurrentDictionary<nint, Task> _started = [];
    private static int _requests;

    public static ConcurrentDictionary<(RankWorld, int Rank), HashSet<int>> Threads { get; } = [];

    public static int LongestPiece { get; private set; }

    /// <summary>The library with the constants of a family.</summary>
    public static MpiLibrary Library(MpiAbi abi) => new("libstandin.so", "Stand-in 1.0", abi, new MpiFunctions
    {
        MPI_Init_thread = &Init,
        MPI_Comm_set_errhandler = &SetHandler,
        MPI_Comm_rank = &Rank,
        MPI_Comm_size = &Size,
        MPI_Bcast = &Broadcast,
        MPI_Allgather = &AllGather,
        MPI_Iallgather = &StartAllGather,
        MPI_Test = &IsDone,
        MPI_Allgatherv = &AllGatherParts,
        MPI_Alltoallv = &AllToAll,
        MPI_Error_string = &Text,
        MPI_Finalize = &Finish,
    });

    /// <summary>Does something in each rank of a group over this library; returns what each made.</summary>
    public static T[] Run<T>(int size, int piece, MpiAbi abi, Func<IProcessGroup, T> work)
    {
        using var world = new RankWorld(size);
        var library = Library(abi);
        return [.. Enumerable.Range(0, size).Select(rank => Task.Factory.StartNew(() =>
        {
            using IProcessGroup group = new BackgroundProcessGroup(abandon =>
            {
                world.Enter(rank);
                return MpiProcessGroup.Join(library, new MpiPlace("a test", rank, size, true), Team.Options, abandon, piece);
            });
            return work(group);
        }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)).ToArray().Select(task => task.Result)];
    }

    [UnmanagedCallersOnly]
    private static int Init(void* argc, void* argv, int required, int* provided)
    {
        *provided = required;
        return Called(0);
    }

    /// <summary>A library that waits for ranks that do not come.</summary>
    public static MpiLibrary Waiting() => new("libstandin.so", "Stand-in 1.0", MpiAbi.Mpich, new MpiFunctions { MPI_Init_thread = &Wait });

    [UnmanagedCallersOnly]
    private static int Wait(void* argc, void* argv, int required, int* provided)
    {
        Thread.Sleep(Timeout.Infinite);
        return 0;
    }

    [UnmanagedCallersOnly]
    private static int SetHandler(nint world, nint handler) =>
        IsKnown(world, 0x101, 0x4400_0000) && IsKnown(handler, 0x143, 0x5400_0001) ? 0 : Refused;

    [UnmanagedCallersOnly]
    private static int Rank(nint world, int* rank)
    {
        *rank = RankWorld.Rank;
        return 0;
    }

    [UnmanagedCallersOnly]
    private static int Size(nint world, int* size)
    {
        *size = RankWorld.Here.Size;
        return 0;
    }

    [UnmanagedCallersOnly]
    private static int Broadcast(void* bytes, int count, nint type, int root, nint world) => !IsByte(type) ? Refused
        : Called(RankWorld.Here.Together([(nint)bytes], all => Copy(all[root][0], (nint)bytes, count)));

    [UnmanagedCallersOnly]
    private static int AllGather(void* mine, int count, nint type, void* all, int each, nint its, nint world) =>
        !IsByte(type) || !IsByte(its) ? Refused : Called(Gather((nint)mine, count, (nint)all, each));

    [UnmanagedCallersOnly]
    private static int StartAllGather(void* mine, int count, nint type, void* all, int each, nint its, nint world, nint* request)
    {
        var (here, rank, from, to) = (RankWorld.Here, RankWorld.Rank, (nint)mine, (nint)all);
        *request = Interlocked.Increment(ref _requests);
        _started[*request] = Task.Factory.StartNew(() =>
        {
            here.Enter(rank);
            Gather(from, count, to, each);
        }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        return !IsByte(type) || !IsByte(its) ? Refused : Called(0);
    }

    [UnmanagedCallersOnly]
    private static int IsDone(nint* request, int* done, void* status)
    {
        *done = _started[*request].IsCompleted ? 1 : 0;
        if (*done != 0) _started.Remove(*request, out _);
        return Called(0);
    }

    private static int Gather(nint mine, int count, nint all, int each) => RankWorld.Here.Together([mine], given =>
    {
        for (int rank = 0; rank < given.Length; rank++) Copy(given[rank][0], all + rank * each, count);
    });

    [UnmanagedCallersOnly]
    private static int AllGatherParts(void* mine, int count, nint type, void* all, int* counts, int* starts, nint its, nint world) =>
        Called(RankWorld.Here.Together([(nint)mine, count], given =>
        {
            for (int rank = 0; rank < given.Length; rank++)
            {
                Assert.Equal(given[rank][1], counts[rank]);
                Copy(given[rank][0], (nint)all + starts[rank], counts[rank]);
            }
        }));

    [UnmanagedCallersOnly]
    private static int AllToAll(void* given, int* counts, int* starts, nint type, void* taken, int* theirs, int* places, nint its,
        nint world)
    {
        int me = RankWorld.Rank;
        return Called(RankWorld.Here.Together([(nint)given, (nint)counts, (nint)starts], all =>
        {
            for (int rank = 0; rank < all.Length; rank++)
            {
                Assert.Equal(((int*)all[rank][1])[me], theirs[rank]);
                Copy(all[rank][0] + ((int*)all[rank][2])[me], (nint)taken + places[rank], theirs[rank]);
            }
        }));
    }

    [UnmanagedCallersOnly]
    private static int Text(int code, byte* text, int* length)
    {
        *length = Encoding.UTF8.GetBytes($"refused with {code}", new Span<byte>(text, 64));
        return 0;
    }

    [UnmanagedCallersOnly]
    private static int Finish() => Called(0);

    private static bool IsByte(nint type) => IsKnown(type, 0x247, 0x4c00_010d);

    private static bool IsKnown(nint handle, nint standard, nint mpich) => handle == standard || handle == mpich;

    private static int Called(int code)
    {
        var threads = Threads.GetOrAdd((RankWorld.Here, RankWorld.Rank), _ => []);
        lock (threads) threads.Add(System.Environment.CurrentManagedThreadId);
        return code;
    }

    private static void Copy(nint from, nint to, int count)
    {
        LongestPiece = Math.Max(LongestPiece, count);
        if (from != to) new ReadOnlySpan<byte>((void*)from, count).CopyTo(new Span<byte>((void*)to, count));
    }
}
