using System.Runtime.InteropServices;
using ILGPU;

namespace Rpat.Ilgpu.Emulator.Execution;

/// <summary>
/// Runs groups one after another on one OS thread. Every GPU thread is a stack of frames; it runs until it must wait for others.
/// </summary>
internal sealed unsafe class GroupRun
{
    public const int WarpSize = 32;

    private readonly List<IntPtr> _local = [];
    private readonly int[] _warpIntervals = new int[Execution.Launch.MaxThreads / WarpSize];
    private Lane[] _all = [];
    private byte* _values, _stacks;
    private long _stackBytes;
    private Random? _random;
    private BankReport? _banks;
    private int _running;

    public SharedArena Shared { get; } = new();

    public Launch Launch { get; private set; } = null!;

    /// <summary>The group's index in the grid.</summary>
    public Index3D Index { get; private set; }

    /// <summary>The threads of the group.</summary>
    public Lane[] Lanes => _all;

    /// <summary>How often the threads of a warp have waited for each other.</summary>
    public int WarpInterval(int warp) => _warpIntervals[warp];

    /// <summary>Prepares for the groups of a launch.</summary>
    public void Begin(Launch launch)
    {
        Launch = launch;
        int threads = launch.Config.GroupDim.Size;
        if (_all.Length != threads) MakeLanes(threads);
        long bytes = (long)threads * launch.Code.StackBytes;
        if (bytes > _stackBytes) GrowStacks(bytes);
        for (int i = 0; i < threads; i++) _all[i].Stack = _stacks + (long)i * launch.Code.StackBytes;
    }

    /// <summary>Runs one group to its end.</summary>
    /// <exception cref="EmulatorException">The kernel went wrong.</exception>
    public void Execute(int number)
    {
        var (grid, group) = (Launch.Config.GridDim, Launch.Config.GroupDim);
        Index = new Index3D(number % grid.X, number / grid.X % grid.Y, number / grid.X / grid.Y);
        _random = Emulation.Seed is int seed ? new Random(unchecked(seed * 31 + number)) : null;
        _banks = Emulation.Banks;
        Shared.Start(Launch.Config.SharedMemoryConfig, _banks is not null);
        foreach (var lane in _all)
        {
            lane.Start(new Index3D(lane.Number % group.X, lane.Number / group.X % group.Y, lane.Number / group.X / group.Y));
            Launch.Code.Start(lane.Stack, Launch.Arguments);
        }
        try
        {
            RunAll();
        }
        finally
        {
            Lane.CurrentOrNull = null;
            FreeLocal();
        }
    }

    /// <summary>Memory of the running thread alone, until the group ends.</summary>
    public ArrayView<T> AllocateLocal<T>(int extent)
        where T : unmanaged
    {
        var block = MemoryBlock.Allocate((long)extent * sizeof(T), MemoryKind.Local);
        _local.Add((IntPtr)block);
        return new ArrayView<T>(block, 0, extent);
    }

    private void RunAll()
    {
        _running = _all.Length;
        while (_running > 0)
        {
            bool progress = _random is null ? RunInOrder() : RunShuffled(_random);
            if (!progress) throw Stuck();
        }
    }

    // Warp by warp, each as far as it gets without the others.
    private bool RunInOrder()
    {
        bool progress = false;
        for (int first = 0; first < _all.Length; first += WarpSize)
        {
            var warp = _all.AsSpan(first, Math.Min(WarpSize, _all.Length - first));
            bool again = true;
            while (again)
            {
                foreach (var lane in warp)
                    if (IsReady(lane)) progress |= Step(lane);
                if (_banks is not null) BankMeter.Count(warp, Launch.Name, _banks);
                again = TryResolve(warp, wholeGroup: false);
                progress |= again;
            }
        }
        return TryResolve(_all, wholeGroup: true) || progress;
    }

    private bool RunShuffled(Random random)
    {
        var ready = _all.Where(IsReady).ToArray();
        random.Shuffle(ready);
        foreach (var lane in ready) Step(lane);
        bool progress = ready.Length > 0;
        for (int first = 0; first < _all.Length; first += WarpSize)
            progress |= TryResolve(_all.AsSpan(first, Math.Min(WarpSize, _all.Length - first)), wholeGroup: false);
        return TryResolve(_all, wholeGroup: true) || progress;
    }

    private static bool IsReady(Lane lane) => !lane.Ended && lane.Pending is null;

    private bool Step(Lane lane)
    {
        Lane.CurrentOrNull = lane;
        Shared.BeginSegment();
        if (lane.Ptx.Resume() && !Launch.Code.Resume(lane.Stack))
        {
            lane.Ended = true;
            _running--;
        }
        Shared.EndSegment(lane);
        return true;
    }

    // All threads of a warp or of the group stand in the same operation at the same place.
    private bool TryResolve(ReadOnlySpan<Lane> lanes, bool wholeGroup)
    {
        var first = lanes[0];
        if (first.Pending is null || first.Pending.WholeGroup != wholeGroup) return false;
        foreach (var lane in lanes)
            if (lane.Pending != first.Pending || lane.Site != first.Site) return false;
        first.Pending.Resolve(lanes);
        if (wholeGroup) Shared.NextInterval();
        else if (first.Pending.OrdersMemory) _warpIntervals[first.Warp]++;
        foreach (var lane in lanes) lane.Release();
        return true;
    }

    private EmulatorException Stuck()
    {
        var waiting = _all.First(lane => lane.Pending is not null);
        var mates = waiting.Pending!.WholeGroup ? _all : _all.Where(lane => lane.Warp == waiting.Warp);
        var other = mates.First(lane => lane.Ended || lane.Pending != waiting.Pending || lane.Site != waiting.Site);
        string there = other.Ended ? "has ended" : other.Pending == waiting.Pending ? "waits in another call of it" : $"waits in {other.Pending}";
        return Fault.In(waiting, $"waits in {waiting.Pending}, a divergent one: thread {other.Index} {there}");
    }

    private void MakeLanes(int threads)
    {
        NativeMemory.AlignedFree(_values);
        _values = (byte*)NativeMemory.AlignedAlloc((nuint)(2 * threads * Lane.ValueBytes), 64);
        _all = [.. Enumerable.Range(0, threads).Select(i => new Lane(this, i))];
        foreach (var lane in _all)
        {
            lane.Value = _values + 2 * lane.Number * Lane.ValueBytes;
            lane.Result = lane.Value + Lane.ValueBytes;
        }
    }

    private void GrowStacks(long bytes)
    {
        NativeMemory.AlignedFree(_stacks);
        _stacks = (byte*)NativeMemory.AlignedAlloc((nuint)bytes, 64);
        _stackBytes = bytes;
    }

    private void FreeLocal()
    {
        foreach (var block in _local) MemoryBlock.Free((MemoryBlock*)block);
        _local.Clear();
    }
}
