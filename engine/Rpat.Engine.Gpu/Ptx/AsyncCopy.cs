using ILGPU.Runtime.Cuda;

namespace Rpat.Engine.Gpu.Ptx;

/// <summary>Copies from global to dynamic shared memory that use no registers and run asynchronously (PTX ISA, "cp.async").</summary>
internal static class AsyncCopy
{
    private const string Begin = "{ .reg .b32 to; mov.u32 to, __dyn_shared_alloca; add.u32 to, to, %0; ";
    private const string Copies =
        "cp.async.cg.shared.global [to], [%1], 16; cp.async.cg.shared.global [to+2048], [%1+2048], 16; ";
    private const string MoreCopies =
        "cp.async.cg.shared.global [to+4096], [%1+4096], 16; cp.async.cg.shared.global [to+6144], [%1+6144], 16; ";

    /// <summary>Starts copying two runs of 16 bytes, 2048 bytes apart in either memory, as one batch.</summary>
    /// <param name="to">Byte offset in dynamic shared memory, a multiple of 16.</param>
    /// <param name="from">Global address, a multiple of 16.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Two(int to, ulong from) => CudaAsm.Emit(Begin + Copies + "cp.async.commit_group; }", to, from);

    /// <summary>The same with four runs.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Four(int to, ulong from) => CudaAsm.Emit(Begin + Copies + MoreCopies + "cp.async.commit_group; }", to, from);

    /// <summary>Waits for all batches of this thread but its last one; other threads see them after the next barrier.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void WaitForAllButLast() => CudaAsm.Emit("cp.async.wait_group 1;");

    /// <summary>Waits for all.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Wait() => CudaAsm.Emit("cp.async.wait_all;");
}
