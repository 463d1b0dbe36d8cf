using Rpat.PtxMachine.Execution;

namespace Rpat.PtxMachine;

/// <summary>What the warps of a launch executed, for one instruction of the text.</summary>
/// <param name="Executed">Times that a warp executed it.</param>
/// <param name="Threads">Threads that did, at most 32 per warp.</param>
/// <param name="SharedAccesses">Passes through shared memory that the accesses need at least: one per 128 bytes of a warp's access.</param>
/// <param name="SharedConflicts">Passes beyond those, because different words lie in one bank.</param>
/// <param name="GlobalSectors">Sectors of 32 bytes that the accesses touch.</param>
/// <param name="GlobalIdealSectors">Sectors that hold as many different bytes.</param>
public sealed record InstructionReport(int Line, string Text, string Operation, long Executed, long Threads,
    long SharedAccesses, long SharedConflicts, long GlobalSectors, long GlobalIdealSectors);

/// <summary>What the warps of a launch executed.</summary>
public sealed class LaunchReport
{
    private readonly Lazy<IReadOnlyList<InstructionReport>> _instructions;

    internal LaunchReport(PtxProgram program, Counter[] counters)
    {
        Kernel = program.Name;
        var executed = program.Code.Zip(counters).Where(pair => pair.First.Line > 0 && pair.Second.Executed > 0);
        _instructions = new(() => [.. executed.Select(pair => Of(pair.First, pair.Second))]);
    }

    public string Kernel { get; }

    /// <summary>The instructions that were executed, in the order of the text.</summary>
    public IReadOnlyList<InstructionReport> Instructions => _instructions.Value;

    /// <summary>Executed warp instructions by operation (<c>add</c>, <c>ld</c>, <c>mma</c> …).</summary>
    public IReadOnlyDictionary<string, long> Executed =>
        Instructions.GroupBy(i => i.Operation).ToDictionary(group => group.Key, group => group.Sum(i => i.Executed));

    /// <summary>Executed warp instructions.</summary>
    public long WarpInstructions => Instructions.Sum(i => i.Executed);

    /// <summary>Executed instructions of threads.</summary>
    public long ThreadInstructions => Instructions.Sum(i => i.Threads);

    /// <summary>Threads that took part in an instruction, as a share of 32.</summary>
    public double LaneEfficiency => WarpInstructions == 0 ? 1 : ThreadInstructions / (32.0 * WarpInstructions);

    /// <inheritdoc cref="InstructionReport"/>
    public long SharedAccesses => Instructions.Sum(i => i.SharedAccesses);

    /// <inheritdoc cref="InstructionReport"/>
    public long SharedConflicts => Instructions.Sum(i => i.SharedConflicts);

    /// <inheritdoc cref="InstructionReport"/>
    public long GlobalSectors => Instructions.Sum(i => i.GlobalSectors);

    /// <inheritdoc cref="InstructionReport"/>
    public long GlobalIdealSectors => Instructions.Sum(i => i.GlobalIdealSectors);

    /// <summary>The instructions with the most of something, by default executions.</summary>
    public IReadOnlyList<InstructionReport> Hot(int count, Func<InstructionReport, long>? by = null) =>
        [.. Instructions.OrderByDescending(by ?? (i => i.Executed)).Take(count)];

    private static InstructionReport Of(Instruction i, in Counter c) =>
        new(i.Line, i.Text, i.Operation, c.Executed, c.Threads, c.Passes, c.Conflicts, c.Sectors, c.IdealSectors);
}
