namespace Rpat.PtxMachine;

/// <summary>What a kernel did wrong.</summary>
public enum PtxFaultKind
{
    /// <summary>An access outside every buffer, or outside shared memory.</summary>
    OutOfBounds,

    /// <summary>An access whose address is no multiple of its width.</summary>
    Misaligned,

    /// <summary>A register that is read before it is written.</summary>
    UnwrittenRegister,

    /// <summary>Shared memory that is read before it is written.</summary>
    UnwrittenShared,

    /// <summary>Global memory that is read before anything is written there.</summary>
    UnwrittenGlobal,

    /// <summary>Threads that meet in a word of shared memory without a barrier between them.</summary>
    SharedRace,

    /// <summary>Groups of one launch that meet in a word of global memory.</summary>
    GlobalRace,

    /// <summary>A barrier that not all threads reach.</summary>
    Barrier,

    /// <summary>An exchange, a matrix load or a matrix product that not all threads reach.</summary>
    Exchange,

    /// <summary>The target of an asynchronous copy that is touched before the copy is waited for.</summary>
    PendingCopy,

    /// <summary>A branch marked uniform whose threads differ.</summary>
    NonUniformBranch,

    /// <summary>More instructions than <see cref="MachineOptions.InstructionBudget"/> allows.</summary>
    Budget,
}

/// <summary>A kernel did what a GPU would not forgive. The message names the kernel, the instruction, the group and the thread.</summary>
public sealed class PtxFaultException : Exception
{
    internal PtxFaultException(PtxFaultKind kind, string kernel, Instruction instruction, Index3 group, Index3 thread, string what)
        : base(string.Create(CultureInfo.InvariantCulture,
            $"Kernel {kernel}, line {instruction.Line} '{instruction.Text}', group {group}, thread {thread}: {what}."))
    {
        (Kind, Kernel, Line, Instruction) = (kind, kernel, instruction.Line, instruction.Text);
        (Group, Thread) = (group, thread);
    }

    public PtxFaultKind Kind { get; }

    public string Kernel { get; }

    /// <summary>Line of the text, from 1 on.</summary>
    public int Line { get; }

    public string Instruction { get; }

    public Index3 Group { get; }

    public Index3 Thread { get; }
}

/// <summary>A text that the machine does not run: the message names the kernel, the line and the operation.</summary>
public sealed class PtxTextException : FormatException
{
    internal PtxTextException(string kernel, int line, string text, string why)
        : base(string.Create(CultureInfo.InvariantCulture, $"Kernel {kernel}, line {line} '{text}': {why}.")) => Line = line;

    /// <summary>Line of the text, from 1 on.</summary>
    public int Line { get; }
}

/// <summary>A group of the grid, or a thread of a group.</summary>
public readonly record struct Index3(int X, int Y, int Z)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"({X}, {Y}, {Z})");
}
