using System.Collections.Concurrent;
using Rpat.PtxMachine.Execution;

namespace Rpat.PtxMachine;

/// <summary>Runs kernels on the CPU, group by group, and stops at the first fault. One launch at a time.</summary>
/// <param name="memory">The buffers that kernels may touch.</param>
public sealed unsafe class Machine(GlobalMemory memory)
{
    /// <summary>Most bytes of shared memory of a group: static arrays alone, and with the dynamic one (H100).</summary>
    public const int StaticSharedLimit = 48 * 1024, SharedLimit = 227 * 1024;

    private readonly ConcurrentBag<GroupRun> _idle = [];

    public MachineOptions Options { get; set; } = new();

    /// <summary>Runs a kernel.</summary>
    /// <param name="parameters">The parameter block as C lays it out.</param>
    /// <param name="views">The parts of buffers that the kernel was given and may touch; without them, all buffers.</param>
    /// <returns>What was executed.</returns>
    /// <exception cref="PtxFaultException">The kernel went wrong. If several groups did, it is the first of them.</exception>
    /// <exception cref="ArgumentException">The shape or the parameters do not fit the kernel.</exception>
    public LaunchReport Launch(
        PtxProgram program, ReadOnlySpan<byte> parameters, LaunchShape shape, IReadOnlyCollection<MemoryView>? views = null)
    {
        Check(program, parameters.Length, shape);
        byte* block = (byte*)NativeMemory.AlignedAlloc((nuint)Math.Max(16, parameters.Length), 16);
        try
        {
            parameters.CopyTo(new Span<byte>(block, parameters.Length));
            var launch = new Launch(program, shape, Options, memory, views, block);
            return new LaunchReport(program, Run(launch));
        }
        finally
        {
            NativeMemory.AlignedFree(block);
        }
    }

    private static void Check(PtxProgram program, int parameterBytes, LaunchShape shape)
    {
        shape.Check(program.Name);
        if (parameterBytes < program.ParameterBytes)
            throw new ArgumentException($"{program.Name} takes {program.ParameterBytes} bytes of parameters, not {parameterBytes}.");
        int fixedBytes = program.StaticSharedBytes, bytes = fixedBytes + shape.DynamicSharedBytes;
        if (fixedBytes > StaticSharedLimit)
            throw new ArgumentException(
                $"{program.Name} has {fixedBytes} bytes of static shared memory; at most {StaticSharedLimit} are there.");
        if (bytes > SharedLimit)
            throw new ArgumentException($"{program.Name} asks for {bytes} bytes of shared memory; at most {SharedLimit} are there.");
    }

    private Counter[] Run(Launch launch)
    {
        int threads = (int)Math.Min(launch.Shape.Groups, launch.IsThreaded ? Options.MaxThreads : 1);
        var runs = new GroupRun[threads];
        for (int i = 0; i < threads; i++) runs[i] = _idle.TryTake(out var idle) ? idle : new GroupRun();
        if (threads == 1) launch.Work(runs[0]);
        else Parallel.ForEach(runs, new ParallelOptions { MaxDegreeOfParallelism = threads }, launch.Work);
        var counters = Counter.Sum(runs);
        foreach (var run in runs) _idle.Add(run);
        launch.ThrowFault();
        return counters;
    }
}
