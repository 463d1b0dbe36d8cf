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
    private const string Rest = "{ .reg .b32 to<4>; mov.u32 to0, __dyn_shared_alloca; "
        + "add.u32 to3, to0, %3; add.u32 to2, to0, %2; add.u32 to1, to0, %1; add.u32 to0, to0, %0; ";

    // By way of L1, where the second 16 of 32 bytes are already.
    private const string Quads =
        "cp.async.ca.shared.global [to0], [%4], 16, %5; cp.async.ca.shared.global [to1], [%4+16], 16, %5; "
        + "cp.async.ca.shared.global [to2], [%4+32], 16, %5; cp.async.ca.shared.global [to3], [%4+48], 16, %5; }";

    private const string Halves = "cp.async.ca.shared.global [to], [%1], 8, %3; cp.async.ca.shared.global [to+8], [%2], 8, %3; }";

    /// <summary>Starts copying two runs of 16 bytes, 2048 bytes apart in either memory.</summary>
    /// <param name="to">Byte offset in dynamic shared memory, a multiple of 16.</param>
    /// <param name="from">Global address, a multiple of 16.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Two(int to, ulong from) => CudaAsm.Emit(Begin + Copies + "}", to, from);

    /// <summary>The same with four runs.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Four(int to, ulong from) => CudaAsm.Emit(Begin + Copies + MoreCopies + "}", to, from);

    /// <summary>Starts copying 64 bytes in runs of 16, each to its own place.</summary>
    /// <param name="counts">16; or 0 for zeros, wherever <paramref name="from"/> points.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Line(int to, int second, int third, int fourth, ulong from, int counts) =>
        CudaAsm.Emit(Rest + Quads, to, second, third, fourth, from, counts);

    /// <summary>Starts copying a run of 16 bytes; <paramref name="counts"/> is 16, or 0 for zeros.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void One(int to, ulong from, int counts) =>
        CudaAsm.Emit(Begin + "cp.async.cg.shared.global [to], [%1], 16, %2; }", to, from, counts);

    /// <summary>Starts copying two runs of 8 bytes to 16; <paramref name="counts"/> is 8, or 0 for zeros.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Pair(int to, ulong from, ulong second, int counts) => CudaAsm.Emit(Begin + Halves, to, from, second, counts);

    /// <summary>Makes a batch of what was started since the last one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Commit() => CudaAsm.Emit("cp.async.commit_group;");

    /// <summary>Waits for all batches of this thread but its last one; other threads see them after the next barrier.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void WaitForAllButLast() => CudaAsm.Emit("cp.async.wait_group 1;");

    /// <summary>Waits for all.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Wait() => CudaAsm.Emit("cp.async.wait_all;");
}
