using ILGPU.Runtime.Cuda;

namespace Rpat.Engine.Gpu.Ptx;

/// <summary>Copies from global to dynamic shared memory that use no registers and run asynchronously (PTX ISA, "cp.async").</summary>
internal static class AsyncCopy
{
    private const string Copy =
        "{ .reg .b32 to; mov.u32 to, __dyn_shared_alloca; add.u32 to, to, %0; cp.async.cg.shared.global [to], [%1], 16, %2; }";

    /// <summary>Starts copying 16 bytes, or clearing them.</summary>
    /// <param name="to">Byte offset in dynamic shared memory, a multiple of 16.</param>
    /// <param name="from">Global address, a multiple of 16; valid even where nothing is read.</param>
    /// <param name="bytes">16, or 0 for zeros.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Begin(int to, ulong from, int bytes) => CudaAsm.Emit(Copy, to, from, bytes);

    /// <summary>Waits for all copies that this thread started; other threads see them after the next barrier.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Wait() => CudaAsm.Emit("cp.async.wait_all;");
}
