using ILGPU.Runtime.Cuda;

namespace Rpat.Engine.Gpu.Ptx;

/// <summary>
/// Rounds factors for the tensor cores and stores four words of them to dynamic shared memory. The conversions (PTX ISA, "cvt") take one
/// instruction per word; the bit arithmetic that <see cref="Kernels.IWord"/> uses for memory takes four in TF32 and sixteen in bfloat16.
/// </summary>
internal static class RoundedStore
{
    private const string Begin = "{ .reg .b32 to; .reg .b32 w<4>; mov.u32 to, __dyn_shared_alloca; add.u32 to, to, %0; ";
    private const string End = "st.shared.v4.b32 [to], {w0,w1,w2,w3}; }";

    private const string FromOne =
        Begin + "cvt.rna.tf32.f32 w0, %1; cvt.rna.tf32.f32 w1, %2; cvt.rna.tf32.f32 w2, %3; cvt.rna.tf32.f32 w3, %4; " + End;

    // The upper half comes first.
    private const string FromTwo =
        Begin + "cvt.rn.bf16x2.f32 w0, %2, %1; cvt.rn.bf16x2.f32 w1, %4, %3; cvt.rn.bf16x2.f32 w2, %6, %5; cvt.rn.bf16x2.f32 w3, %8, %7; "
        + End;

    /// <summary>Words of one TF32 factor; <paramref name="to"/> is a byte of dynamic shared memory, a multiple of 16.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Tf32(int to, V4 v) => CudaAsm.Emit(FromOne, to, v.X, v.Y, v.Z, v.W);

    /// <summary>Words of two bfloat16 factors, <paramref name="to"/> as above.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Bf16(int to, float low0, float high0, float low1, float high1, float low2, float high2, float low3, float high3) =>
        CudaAsm.Emit(FromTwo, to, low0, high0, low1, high1, low2, high2, low3, high3);
}
