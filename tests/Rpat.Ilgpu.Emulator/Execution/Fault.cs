using System.Globalization;
using Rpat.Ilgpu.Emulator.Execution;

namespace Rpat.Ilgpu.Emulator;

/// <summary>A kernel did what a GPU would not forgive: the message names the kernel, the group, the thread and the access.</summary>
public sealed class EmulatorException(string message) : Exception(message);

/// <summary>Words the faults of running kernels.</summary>
internal static unsafe class Fault
{
    public static EmulatorException Range(string access, MemoryBlock* block) =>
        In($"accesses {access}, outside its memory of {Bytes(block)} bytes ({Kind(block)})");

    public static EmulatorException Misaligned(string access, MemoryBlock* block) => In($"accesses misaligned memory: {access} ({Kind(block)})");

    /// <summary>An error of the kernel that runs on this thread, or of the host where none runs.</summary>
    public static EmulatorException In(string what) => In(Lane.CurrentOrNull, what);

    /// <summary>An error of one thread of a kernel.</summary>
    public static EmulatorException In(Lane? lane, string what) =>
        new(string.Create(CultureInfo.InvariantCulture, $"{Where(lane)} {what}."));

    private static string Where(Lane? lane) =>
        lane is null ? "The host" : $"Kernel {lane.Group.Launch.Name}, group {lane.Group.Index}, thread {lane.Index},";

    private static long Bytes(MemoryBlock* block) => block == null ? 0 : block->Bytes;

    private static string Kind(MemoryBlock* block) => block == null ? "no memory at all" : $"{block->Kind} memory".ToLowerInvariant();
}
