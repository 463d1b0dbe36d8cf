using Rpat.PtxMachine.Memory;

namespace Rpat.PtxMachine.Execution;

/// <summary>Runs groups of a launch one after the other, each warp by warp from barrier to barrier.</summary>
internal sealed unsafe class GroupRun
{
    private readonly List<Warp> _warps = [];
    private long[] _budgets = [];
    private int _warpCount;

    public Launch Launch { get; private set; } = null!; // until the first

    public PtxProgram Program => Launch.Program;

    public MachineOptions Options => Launch.Options;

    public SharedMemory Shared { get; } = new();

    public Counter[] Counters { get; private set; } = [];

    /// <summary>The group that runs.</summary>
    public Index3 Index { get; private set; }

    /// <summary>Number of the running group among all of all launches; see <see cref="GlobalMemory"/>.</summary>
    public uint Serial { get; private set; }

    /// <summary>The buffer that accesses fell into last.</summary>
    public Range? LastRange { get; set; }

    public void Load(Launch launch)
    {
        bool known = Launch is not null && Launch.Program == launch.Program && Launch.Shape == launch.Shape;
        Launch = launch;
        Counters = new Counter[launch.Program.Code.Length];
        LastRange = null;
        if (known) return;
        _warpCount = (launch.Shape.Threads + Warp.Lanes - 1) / Warp.Lanes;
        if (_budgets.Length < _warpCount) _budgets = new long[_warpCount];
        while (_warps.Count < _warpCount) _warps.Add(new Warp(this, _warps.Count));
        for (int warp = 0; warp < _warpCount; warp++) _warps[warp].Load(launch.Program, launch.Shape);
    }

    /// <summary>Runs one group to its end.</summary>
    /// <exception cref="PtxFaultException">The kernel went wrong.</exception>
    public void Run(long number)
    {
        Index = Launch.Shape.Group(number);
        Serial = Launch.FirstSerial + (uint)number;
        Shared.Start(Launch.SharedBytes, Program.HasSharedAtomics);
        Array.Fill(_budgets, Options.InstructionBudget);
        foreach (var warp in Warps) warp.Start(Program);
        do
        {
            foreach (var warp in Warps)
                if (!warp.Ended) warp.Run();
        }
        while (PassBarrier());
    }

    public long Budget(int warp) => _budgets[warp];

    public void SetBudget(int warp, long left) => _budgets[warp] = left;

    /// <summary>A thread's index in the group, in words.</summary>
    public string Name(int thread) => Launch.Shape.Thread(thread).ToString();

    public PtxFaultException Fault(PtxFaultKind kind, Instruction i, int thread, string what) =>
        new(kind, Program.Name, i, Index, Launch.Shape.Thread(thread), what);

    private Span<Warp> Warps => CollectionsMarshal.AsSpan(_warps)[.._warpCount];

    /// <summary>Whether all warps wait at one barrier, which then opens; false if all have ended.</summary>
    private bool PassBarrier()
    {
        Warp? first = null;
        foreach (var warp in Warps)
            if (first is null && warp.Waiting is not null) first = warp;
        if (first is null) return false;
        foreach (var warp in Warps)
            if (warp.Waiting != first.Waiting) throw Apart(first, warp);
        foreach (var warp in Warps) warp.Release();
        Shared.NextInterval();
        return true;
    }

    private PtxFaultException Apart(Warp first, Warp other)
    {
        string there = other.Ended ? "has ended" : $"waits at line {other.Waiting!.Line}";
        string what = $"waits at a barrier that thread {Name(other.FirstThread)} does not reach: it {there}";
        return Fault(PtxFaultKind.Barrier, first.Waiting!, first.FirstThread, what);
    }
}
