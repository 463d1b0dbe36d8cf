using ILGPU.Runtime.Cuda;

namespace Rpat.Engine.Gpu.Ptx;

/// <summary>
/// A warp's 64×32 tile on the tensor cores, as inline PTX. Accumulators and fragments are named PTX registers, declared once in
/// the kernel: they never pass through C#, which could pass them only through memory.
/// </summary>
/// <remarks>
/// Products are m16n8k8 of TF32, or m16n8k16 of bfloat16. Counted in 32-bit words, which hold one TF32 factor or two bfloat16
/// neighbours along the reduction, both have the same fragments (PTX ISA, "Matrix Fragments for mma"). With g = lane / 4 and t = lane % 4:
/// <list type="bullet">
/// <item>A, 16 rows × 8 words: fa0 (g, t), fa1 (g + 8, t), fa2 (g, t + 4), fa3 (g + 8, t + 4);</item>
/// <item>B, 8 words × 8 columns: fb0 (t, g), fb1 (t + 4, g);</item>
/// <item>C, 16 rows × 8 columns: acc0 and acc1 (g, 2t) and (g, 2t + 1), acc2 and acc3 the same eight rows below.</item>
/// </list>
/// The warp's tile is 4×4 of them: rows in blocks i of 16, columns in blocks j of 8, accumulators from 4·(4i + j) on.
/// </remarks>
internal static class Mma
{
    /// <summary>
    /// Words between the rows of the tile that <see cref="Store"/> writes: 64 columns, plus eight so that pairs of a half warp access 32
    /// different banks.
    /// </summary>
    public const int StagingStride = 72;

    private const string Tf32 = "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 ";
    private const string Bf16 = "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 ";

    // Operands of the 16 products, "C, A, B, C;".
    private const string P00 = "{acc0,acc1,acc2,acc3}, " + A0 + B0 + "{acc0,acc1,acc2,acc3}; ";
    private const string P01 = "{acc4,acc5,acc6,acc7}, " + A0 + B1 + "{acc4,acc5,acc6,acc7}; ";
    private const string P02 = "{acc8,acc9,acc10,acc11}, " + A0 + B2 + "{acc8,acc9,acc10,acc11}; ";
    private const string P03 = "{acc12,acc13,acc14,acc15}, " + A0 + B3 + "{acc12,acc13,acc14,acc15}; ";
    private const string P10 = "{acc16,acc17,acc18,acc19}, " + A1 + B0 + "{acc16,acc17,acc18,acc19}; ";
    private const string P11 = "{acc20,acc21,acc22,acc23}, " + A1 + B1 + "{acc20,acc21,acc22,acc23}; ";
    private const string P12 = "{acc24,acc25,acc26,acc27}, " + A1 + B2 + "{acc24,acc25,acc26,acc27}; ";
    private const string P13 = "{acc28,acc29,acc30,acc31}, " + A1 + B3 + "{acc28,acc29,acc30,acc31}; ";
    private const string P20 = "{acc32,acc33,acc34,acc35}, " + A2 + B0 + "{acc32,acc33,acc34,acc35}; ";
    private const string P21 = "{acc36,acc37,acc38,acc39}, " + A2 + B1 + "{acc36,acc37,acc38,acc39}; ";
    private const string P22 = "{acc40,acc41,acc42,acc43}, " + A2 + B2 + "{acc40,acc41,acc42,acc43}; ";
    private const string P23 = "{acc44,acc45,acc46,acc47}, " + A2 + B3 + "{acc44,acc45,acc46,acc47}; ";
    private const string P30 = "{acc48,acc49,acc50,acc51}, " + A3 + B0 + "{acc48,acc49,acc50,acc51}; ";
    private const string P31 = "{acc52,acc53,acc54,acc55}, " + A3 + B1 + "{acc52,acc53,acc54,acc55}; ";
    private const string P32 = "{acc56,acc57,acc58,acc59}, " + A3 + B2 + "{acc56,acc57,acc58,acc59}; ";
    private const string P33 = "{acc60,acc61,acc62,acc63}, " + A3 + B3 + "{acc60,acc61,acc62,acc63}; ";
    private const string A0 = "{fa0,fa1,fa2,fa3}, ", A1 = "{fa4,fa5,fa6,fa7}, ", A2 = "{fa8,fa9,fa10,fa11}, ",
        A3 = "{fa12,fa13,fa14,fa15}, ";
    private const string B0 = "{fb0,fb1}, ", B1 = "{fb2,fb3}, ", B2 = "{fb4,fb5}, ", B3 = "{fb6,fb7}, ";

    /// <summary>Declares the registers and clears the accumulators; once, at the start of a kernel.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Begin()
    {
        CudaAsm.Emit(".reg .f32 acc<64>;");
        CudaAsm.Emit(".reg .b32 fa<16>;");
        CudaAsm.Emit(".reg .b32 fb<8>;");
        CudaAsm.Emit(Clear);
    }

    /// <summary>Loads the four row blocks' fragments of A.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadA(Fragment f0, Fragment f1, Fragment f2, Fragment f3)
    {
        CudaAsm.Emit("mov.b32 fa0, %0; mov.b32 fa1, %1; mov.b32 fa2, %2; mov.b32 fa3, %3;", f0.W0, f0.W1, f0.W2, f0.W3);
        CudaAsm.Emit("mov.b32 fa4, %0; mov.b32 fa5, %1; mov.b32 fa6, %2; mov.b32 fa7, %3;", f1.W0, f1.W1, f1.W2, f1.W3);
        CudaAsm.Emit("mov.b32 fa8, %0; mov.b32 fa9, %1; mov.b32 fa10, %2; mov.b32 fa11, %3;", f2.W0, f2.W1, f2.W2, f2.W3);
        CudaAsm.Emit("mov.b32 fa12, %0; mov.b32 fa13, %1; mov.b32 fa14, %2; mov.b32 fa15, %3;", f3.W0, f3.W1, f3.W2, f3.W3);
    }

    /// <summary>Loads the four column blocks' fragments of B, two blocks per argument.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadB(Fragment f01, Fragment f23)
    {
        CudaAsm.Emit("mov.b32 fb0, %0; mov.b32 fb1, %1; mov.b32 fb2, %2; mov.b32 fb3, %3;", f01.W0, f01.W1, f01.W2, f01.W3);
        CudaAsm.Emit("mov.b32 fb4, %0; mov.b32 fb5, %1; mov.b32 fb6, %2; mov.b32 fb7, %3;", f23.W0, f23.W1, f23.W2, f23.W3);
    }

    /// <summary>Adds the products of eight words of TF32.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void MultiplyTf32() => CudaAsm.Emit(
        Tf32 + P00 + Tf32 + P01 + Tf32 + P02 + Tf32 + P03 + Tf32 + P10 + Tf32 + P11 + Tf32 + P12 + Tf32 + P13 +
        Tf32 + P20 + Tf32 + P21 + Tf32 + P22 + Tf32 + P23 + Tf32 + P30 + Tf32 + P31 + Tf32 + P32 + Tf32 + P33);

    /// <summary>Adds the products of eight words of bfloat16.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void MultiplyBf16() => CudaAsm.Emit(
        Bf16 + P00 + Bf16 + P01 + Bf16 + P02 + Bf16 + P03 + Bf16 + P10 + Bf16 + P11 + Bf16 + P12 + Bf16 + P13 +
        Bf16 + P20 + Bf16 + P21 + Bf16 + P22 + Bf16 + P23 + Bf16 + P30 + Bf16 + P31 + Bf16 + P32 + Bf16 + P33);

    /// <summary>Writes the accumulators to dynamic shared memory.</summary>
    /// <param name="bytes">Where this lane's first accumulator goes; see <see cref="StagingStride"/>.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(int bytes) => CudaAsm.Emit(Address + Rows0 + Rows1 + Rows2 + Rows3 + "}", bytes);

    private const string Clear =
        "mov.f32 acc0, 0f00000000; mov.f32 acc1, 0f00000000; mov.f32 acc2, 0f00000000; mov.f32 acc3, 0f00000000; " +
        "mov.f32 acc4, 0f00000000; mov.f32 acc5, 0f00000000; mov.f32 acc6, 0f00000000; mov.f32 acc7, 0f00000000; " +
        "mov.f32 acc8, 0f00000000; mov.f32 acc9, 0f00000000; mov.f32 acc10, 0f00000000; mov.f32 acc11, 0f00000000; " +
        "mov.f32 acc12, 0f00000000; mov.f32 acc13, 0f00000000; mov.f32 acc14, 0f00000000; mov.f32 acc15, 0f00000000; " +
        "mov.f32 acc16, 0f00000000; mov.f32 acc17, 0f00000000; mov.f32 acc18, 0f00000000; mov.f32 acc19, 0f00000000; " +
        "mov.f32 acc20, 0f00000000; mov.f32 acc21, 0f00000000; mov.f32 acc22, 0f00000000; mov.f32 acc23, 0f00000000; " +
        "mov.f32 acc24, 0f00000000; mov.f32 acc25, 0f00000000; mov.f32 acc26, 0f00000000; mov.f32 acc27, 0f00000000; " +
        "mov.f32 acc28, 0f00000000; mov.f32 acc29, 0f00000000; mov.f32 acc30, 0f00000000; mov.f32 acc31, 0f00000000; " +
        "mov.f32 acc32, 0f00000000; mov.f32 acc33, 0f00000000; mov.f32 acc34, 0f00000000; mov.f32 acc35, 0f00000000; " +
        "mov.f32 acc36, 0f00000000; mov.f32 acc37, 0f00000000; mov.f32 acc38, 0f00000000; mov.f32 acc39, 0f00000000; " +
        "mov.f32 acc40, 0f00000000; mov.f32 acc41, 0f00000000; mov.f32 acc42, 0f00000000; mov.f32 acc43, 0f00000000; " +
        "mov.f32 acc44, 0f00000000; mov.f32 acc45, 0f00000000; mov.f32 acc46, 0f00000000; mov.f32 acc47, 0f00000000; " +
        "mov.f32 acc48, 0f00000000; mov.f32 acc49, 0f00000000; mov.f32 acc50, 0f00000000; mov.f32 acc51, 0f00000000; " +
        "mov.f32 acc52, 0f00000000; mov.f32 acc53, 0f00000000; mov.f32 acc54, 0f00000000; mov.f32 acc55, 0f00000000; " +
        "mov.f32 acc56, 0f00000000; mov.f32 acc57, 0f00000000; mov.f32 acc58, 0f00000000; mov.f32 acc59, 0f00000000; " +
        "mov.f32 acc60, 0f00000000; mov.f32 acc61, 0f00000000; mov.f32 acc62, 0f00000000; mov.f32 acc63, 0f00000000; ";

    private const string Address = "{ .reg .b32 to; mov.u32 to, __dyn_shared_alloca; add.u32 to, to, %0; ";

    // Bytes: 16 rows of a block are 4608, 8 columns 32, and the eight rows below 2304.
    private const string Rows0 =
        "st.shared.v2.f32 [to+0], {acc0,acc1}; st.shared.v2.f32 [to+2304], {acc2,acc3}; " +
        "st.shared.v2.f32 [to+32], {acc4,acc5}; st.shared.v2.f32 [to+2336], {acc6,acc7}; " +
        "st.shared.v2.f32 [to+64], {acc8,acc9}; st.shared.v2.f32 [to+2368], {acc10,acc11}; " +
        "st.shared.v2.f32 [to+96], {acc12,acc13}; st.shared.v2.f32 [to+2400], {acc14,acc15}; ";
    private const string Rows1 =
        "st.shared.v2.f32 [to+4608], {acc16,acc17}; st.shared.v2.f32 [to+6912], {acc18,acc19}; " +
        "st.shared.v2.f32 [to+4640], {acc20,acc21}; st.shared.v2.f32 [to+6944], {acc22,acc23}; " +
        "st.shared.v2.f32 [to+4672], {acc24,acc25}; st.shared.v2.f32 [to+6976], {acc26,acc27}; " +
        "st.shared.v2.f32 [to+4704], {acc28,acc29}; st.shared.v2.f32 [to+7008], {acc30,acc31}; ";
    private const string Rows2 =
        "st.shared.v2.f32 [to+9216], {acc32,acc33}; st.shared.v2.f32 [to+11520], {acc34,acc35}; " +
        "st.shared.v2.f32 [to+9248], {acc36,acc37}; st.shared.v2.f32 [to+11552], {acc38,acc39}; " +
        "st.shared.v2.f32 [to+9280], {acc40,acc41}; st.shared.v2.f32 [to+11584], {acc42,acc43}; " +
        "st.shared.v2.f32 [to+9312], {acc44,acc45}; st.shared.v2.f32 [to+11616], {acc46,acc47}; ";
    private const string Rows3 =
        "st.shared.v2.f32 [to+13824], {acc48,acc49}; st.shared.v2.f32 [to+16128], {acc50,acc51}; " +
        "st.shared.v2.f32 [to+13856], {acc52,acc53}; st.shared.v2.f32 [to+16160], {acc54,acc55}; " +
        "st.shared.v2.f32 [to+13888], {acc56,acc57}; st.shared.v2.f32 [to+16192], {acc58,acc59}; " +
        "st.shared.v2.f32 [to+13920], {acc60,acc61}; st.shared.v2.f32 [to+16224], {acc62,acc63}; ";
}

/// <summary>Four words of a fragment.</summary>
internal readonly struct Fragment(uint w0, uint w1, uint w2, uint w3)
{
    public readonly uint W0 = w0, W1 = w1, W2 = w2, W3 = w3;
}
