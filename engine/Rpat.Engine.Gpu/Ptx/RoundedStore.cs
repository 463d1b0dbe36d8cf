using ILGPU.Runtime.Cuda;

namespace Rpat.Engine.Gpu.Ptx;

/// <summary>
/// Rounds factors for the tensor cores, which is one instruction per word or none, and stores four words of them to dynamic shared memory,
/// or zeros. In each method, <c>to</c> is a byte there, a multiple of 16, and <c>counts</c> is zero if zeros are to be stored.
/// </summary>
/// <remarks>
/// TF32: the tensor cores drop the 13 lowest bits, so a product with 1 + 2⁻¹¹·⅔ before rounds to the nearest: it adds a third to two
/// thirds of the last bit that is kept, as the mantissa goes from 1 to 2, half of it on average. What TF32 can hold stays as it is, and so
/// do infinities and NaN, which a sum of bits would carry into the sign. bfloat16: <c>cvt</c> rounds two factors, and clamps them too.
/// </remarks>
internal static class RoundedStore
{
    private const string Begin = "{ .reg .b32 to; .reg .pred in; mov.u32 to, __dyn_shared_alloca; add.u32 to, to, %0; ";
    private const string End = "@in st.shared.v4.b32 [to], {w0,w1,w2,w3}; @!in st.shared.v4.b32 [to], {0,0,0,0}; }";

    private const string One = Begin + ".reg .f32 w<4>; setp.ne.s32 in, %5, 0; ";
    private const string Clamp = "max.NaN.f32 w0, %1, 0f00000000; max.NaN.f32 w1, %2, 0f00000000; "
        + "max.NaN.f32 w2, %3, 0f00000000; max.NaN.f32 w3, %4, 0f00000000; ";
    private const string Round =
        "mul.f32 w0, %1, 0f3F800AAB; mul.f32 w1, %2, 0f3F800AAB; mul.f32 w2, %3, 0f3F800AAB; mul.f32 w3, %4, 0f3F800AAB; ";
    private const string RoundClamped =
        "mul.f32 w0, w0, 0f3F800AAB; mul.f32 w1, w1, 0f3F800AAB; mul.f32 w2, w2, 0f3F800AAB; mul.f32 w3, w3, 0f3F800AAB; ";

    // The upper half comes first.
    private const string Two = Begin + ".reg .b32 w<4>; setp.ne.s32 in, %9, 0; ";
    private const string Pack =
        "cvt.rn.bf16x2.f32 w0, %2, %1; cvt.rn.bf16x2.f32 w1, %4, %3; cvt.rn.bf16x2.f32 w2, %6, %5; cvt.rn.bf16x2.f32 w3, %8, %7; ";
    private const string PackClamped = "cvt.rn.relu.bf16x2.f32 w0, %2, %1; cvt.rn.relu.bf16x2.f32 w1, %4, %3; "
        + "cvt.rn.relu.bf16x2.f32 w2, %6, %5; cvt.rn.relu.bf16x2.f32 w3, %8, %7; ";

    /// <summary>Words of one TF32 factor.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Tf32(int to, V4 v, int counts) => CudaAsm.Emit(One + Round + End, to, v.X, v.Y, v.Z, v.W, counts);

    /// <summary>The same, with negative factors as zeros.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ReluTf32(int to, V4 v, int counts) =>
        CudaAsm.Emit(One + Clamp + RoundClamped + End, to, v.X, v.Y, v.Z, v.W, counts);

    /// <summary>Words of two adjacent bfloat16 factors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Bf16(int to, V4 a, V4 b, int counts) =>
        CudaAsm.Emit(Two + Pack + End, to, a.X, a.Y, a.Z, a.W, b.X, b.Y, b.Z, b.W, counts);

    /// <summary>The same, with negative factors as zeros.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ReluBf16(int to, V4 a, V4 b, int counts) =>
        CudaAsm.Emit(Two + PackClamped + End, to, a.X, a.Y, a.Z, a.W, b.X, b.Y, b.Z, b.W, counts);

    /// <summary>Stores four numbers in bfloat16 to a global address, a multiple of 8.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Global(ulong to, V4 v) => CudaAsm.Emit(
        "{ .reg .b32 w<2>; cvt.rn.bf16x2.f32 w0, %2, %1; cvt.rn.bf16x2.f32 w1, %4, %3; st.global.v2.b32 [%0], {w0,w1}; }",
        to, v.X, v.Y, v.Z, v.W);
}
