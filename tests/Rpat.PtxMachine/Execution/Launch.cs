using System.Runtime.ExceptionServices;

namespace Rpat.PtxMachine.Execution;

/// <summary>A kernel on its way through its groups, which are handed out in order.</summary>
internal sealed unsafe class Launch
{
    private readonly Lock _lock = new();
    private long _next, _faulty = long.MaxValue;
    private Exception? _fault;

    public Launch(
        PtxProgram program, LaunchShape shape, MachineOptions options,
        GlobalMemory memory, IReadOnlyCollection<MemoryView>? views, byte* parameters)
    {
        (Program, Shape, Options) = (program, shape, options);
        Parameters = parameters;
        SharedBytes = program.UsesDynamicShared ? program.Layout.DynamicAt + shape.DynamicSharedBytes : program.Layout.DynamicAt;
        IsThreaded = options.MaxThreads > 1 && shape.Groups > 1 && !program.HasGlobalAtomics;
        Ranges = memory.Begin(shape.Groups, views, out uint first);
        FirstSerial = first;
    }

    public PtxProgram Program { get; }

    public LaunchShape Shape { get; }

    public MachineOptions Options { get; }

    public byte* Parameters { get; }

    public int SharedBytes { get; }

    /// <summary>Whether several groups run at the same time.</summary>
    public bool IsThreaded { get; }

    /// <summary>What the kernel may touch, by address.</summary>
    public Range[] Ranges { get; }

    public uint FirstSerial { get; }

    /// <summary>Runs groups until none is left. A group before a faulty one has been handed out already and runs to its end.</summary>
    public void Work(GroupRun run)
    {
        run.Load(this);
        while (true)
        {
            long group = Interlocked.Increment(ref _next) - 1;
            if (group >= Math.Min(Shape.Groups, Volatile.Read(ref _faulty))) return;
            try
            {
                run.Run(group);
            }
            catch (Exception fault)
            {
                Note(group, fault);
            }
        }
    }

    public void ThrowFault()
    {
        if (_fault is not null) ExceptionDispatchInfo.Throw(_fault);
    }

    private void Note(long group, Exception fault)
    {
        lock (_lock)
        {
            if (group < _faulty) (_faulty, _fault) = (group, fault);
        }
    }
}
