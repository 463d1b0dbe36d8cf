using System.Collections.Concurrent;
using Rpat.Engine.Kernels.Cpu;

namespace Rpat.Tests.Distributed;

/// <summary>
/// A stand-in for NCCL whose ranks are threads and whose device memory is the CPU's. It records the calls and does what they ask for; its
/// all-reduce adds in the opposite order of the ranks, as a ring may.
/// </summary>
internal static unsafe class NcclStandIn
{
    private const nint Stream = 0x5eed;

    [ThreadStatic]
    private static List<(bool Sends, nint Address, int Count, int Peer)>? _group;

    public static ConcurrentDictionary<(RankWorld World, int Rank), List<string>> Calls { get; } = [];

    /// <summary>What each call returns from now on.</summary>
    [field: ThreadStatic]
    public static int Answer { get; set; }

    public static NcclLibrary Library { get; } = new(new NcclFunctions
    {
        ncclGetVersion = &Version,
        ncclGetUniqueId = &UniqueId,
        ncclCommInitRank = &Init,
        ncclAllReduce = &AllReduce,
        ncclSend = &Send,
        ncclRecv = &Receive,
        ncclGroupStart = &Begin,
        ncclGroupEnd = &End,
        ncclCommGetAsyncError = &AsyncError,
        ncclCommDestroy = &Destroy,
        ncclCommAbort = &Abort,
        ncclGetErrorString = &Text,
    });

    /// <summary>A group over TCP with this library on top.</summary>
    public static T[] Run<T>(int size, bool ordered, Func<NcclProcessGroup, Device, T> work)
    {
        using var world = new RankWorld(size);
        return Team.Run(size, team =>
        {
            world.Enter(team.Rank);
            using var device = Device.Cpu(1);
            using var host = new BackgroundProcessGroup(_ => new Borrowed(team));
            using var group = new NcclProcessGroup(host, Library, device, new Streams(), ordered);
            return work(group, device);
        });
    }

    [UnmanagedCallersOnly]
    private static int Version(int* version)
    {
        *version = 22809;
        return 0;
    }

    [UnmanagedCallersOnly]
    private static int UniqueId(NcclId* id)
    {
        for (int i = 0; i < NcclId.Length; i++) id->Bytes[i] = (byte)(i + 1);
        return Record("id");
    }

    [UnmanagedCallersOnly]
    private static int Init(nint* communicator, int size, NcclId id, int rank)
    {
        *communicator = 0xc0 + rank;
        int sum = 0;
        for (int i = 0; i < NcclId.Length; i++) sum += id.Bytes[i];
        return Record($"init {rank} of {size}, id {sum}");
    }

    [UnmanagedCallersOnly]
    private static int AllReduce(nint from, nint to, nuint count, int type, int op, nint communicator, nint stream)
    {
        if (Answer != 0) return Answer;
        float[] sums = new float[(int)count];
        RankWorld.Here.Together([from], all =>
        {
            foreach (nint[] given in all.Reverse())
                for (int i = 0; i < sums.Length; i++) sums[i] += ((float*)given[0])[i];
        });
        RankWorld.Here.Together([], _ => sums.CopyTo(new Span<float>((float*)to, sums.Length)));
        return Record($"all-reduce {count}, type {type}, op {op}, stream {stream == Stream}, communicator {communicator - 0xc0}");
    }

    [UnmanagedCallersOnly]
    private static int Send(nint from, nuint count, int type, int peer, nint communicator, nint stream)
    {
        _group!.Add((true, from, (int)count, peer));
        return Record($"send {count} to {peer}, type {type}");
    }

    [UnmanagedCallersOnly]
    private static int Receive(nint to, nuint count, int type, int peer, nint communicator, nint stream)
    {
        _group!.Add((false, to, (int)count, peer));
        return Record($"receive {count} from {peer}, type {type}");
    }

    [UnmanagedCallersOnly]
    private static int Begin()
    {
        _group = [];
        return Record("group start");
    }

    [UnmanagedCallersOnly]
    private static int End()
    {
        nint[] Flat() => [.. _group!.SelectMany(call => new nint[] { call.Sends ? 1 : 0, call.Address, call.Count, call.Peer })];
        int me = RankWorld.Rank;
        var mine = _group!;
        RankWorld.Here.Together(Flat(), all =>
        {
            foreach (var (_, address, count, peer) in mine.Where(call => !call.Sends))
            {
                nint[] its = all[peer];
                int at = Enumerable.Range(0, its.Length / 4).Single(i => its[4 * i] == 1 && its[4 * i + 3] == me);
                Assert.Equal(count, its[4 * at + 2]);
                new ReadOnlySpan<float>((float*)its[4 * at + 1], count).CopyTo(new Span<float>((float*)address, count));
            }
        });
        return Record("group end");
    }

    [UnmanagedCallersOnly]
    private static int AsyncError(nint communicator, int* error)
    {
        *error = Answer;
        return 0;
    }

    [UnmanagedCallersOnly]
    private static int Destroy(nint communicator) => Record("destroy");

    [UnmanagedCallersOnly]
    private static int Abort(nint communicator) // from the thread that has heard of the loss, which is no rank's
    {
        foreach (var ((_, rank), calls) in Calls)
            if (rank == communicator - 0xc0) calls.Add("abort");
        return 0;
    }

    [UnmanagedCallersOnly]
    private static byte* Text(int code)
    {
        fixed (byte* text = "unhandled cuda error\0"u8) return text; // in the assembly's own data, which does not move
    }

    private static int Record(string call)
    {
        if (RankWorld.Here is { } world) Calls.GetOrAdd((world, RankWorld.Rank), _ => []).Add(call);
        return 0;
    }

    /// <summary>A CPU "GPU" whose kernels and communication run at once, in order.</summary>
    private sealed class Streams : INcclDevice
    {
        public nint Stream => NcclStandIn.Stream;

        public nint AddressOf(DeviceBuffer buffer) => (nint)buffer.Floats();

        public void AfterCompute() => Record("after compute");

        public void BeforeCompute() => Record("before compute");

        public void Dispose() => Record("closed");
    }

    /// <summary>A group that its owner disposes of.</summary>
    private sealed class Borrowed(IProcessGroup group) : IProcessGroup, ILossSource
    {
        public event Action<PeerLostException> Lost
        {
            add => ((ILossSource)group).Lost += value;
            remove => ((ILossSource)group).Lost -= value;
        }

        public int Rank => group.Rank;

        public int Size => group.Size;

        public void AllReduce(Span<float> values) => group.AllReduce(values);

        public void AllReduce(Span<double> values) => group.AllReduce(values);

        public void AllGather<T>(ReadOnlySpan<T> mine, Span<T> all) where T : unmanaged => group.AllGather(mine, all);

        public void Broadcast<T>(Span<T> values) where T : unmanaged => group.Broadcast(values);

        public void Fail(int code, string sentence) => group.Fail(code, sentence);

        public void Dispose()
        {
        }
    }
}
