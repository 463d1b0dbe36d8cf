using ILGPU.Runtime.Cuda;

namespace Rpat.Engine.Gpu.Ptx;

/// <summary>
/// A warp's tile on the tensor cores, as inline PTX: 64×32, or 64×64 as a left and a right half. Accumulators and fragments are named PTX
/// registers, declared once in the kernel: they never pass through C#, which could pass them only through memory.
/// </summary>
/// <remarks>
/// Products are m16n8k8 of TF32, or m16n8k16 of bfloat16. Counted in 32-bit words, which hold one TF32 factor or two bfloat16
/// neighbours along the reduction, both have the same fragments (PTX ISA, "Matrix Fragments for mma"). With g = lane / 4 and t = lane % 4:
/// <list type="bullet">
/// <item>A, 16 rows × 8 words: fa0 (g, t), fa1 (g + 8, t), fa2 (g, t + 4), fa3 (g + 8, t + 4);</item>
/// <item>B, 8 words × 8 columns: fb0 (t, g), fb1 (t + 4, g);</item>
/// <item>C, 16 rows × 8 columns: acc0 and acc1 (g, 2t) and (g, 2t + 1), acc2 and acc3 the same eight rows below.</item>
/// </list>
/// A half is 4×4 of them: rows in blocks i of 16, columns in blocks j of 8, accumulators from 4·(4i + j) on. Blocks 2p and 2p + 1 hold
/// columns in an order that gives each thread four that are adjacent in memory: column n of block 2p + z is 4·(n / 2) + 2z + n % 2 of 16.
/// </remarks>
internal static class Mma
{
    private const string Tf32 = "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 ";
    private const string Bf16 = "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 ";
    private const string A0 = "{fa0,fa1,fa2,fa3}, ", A1 = "{fa4,fa5,fa6,fa7}, ", A2 = "{fa8,fa9,fa10,fa11}, ",
        A3 = "{fa12,fa13,fa14,fa15}, ";
    private const string B0 = "{fb0,fb1}, ", B1 = "{fb2,fb3}, ", B2 = "{fb4,fb5}, ", B3 = "{fb6,fb7}, ";

    // Operands of the 16 products of a half, "C, A, B, C;".
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
    private const string Q00 = "{bcc0,bcc1,bcc2,bcc3}, " + A0 + B0 + "{bcc0,bcc1,bcc2,bcc3}; ";
    private const string Q01 = "{bcc4,bcc5,bcc6,bcc7}, " + A0 + B1 + "{bcc4,bcc5,bcc6,bcc7}; ";
    private const string Q02 = "{bcc8,bcc9,bcc10,bcc11}, " + A0 + B2 + "{bcc8,bcc9,bcc10,bcc11}; ";
    private const string Q03 = "{bcc12,bcc13,bcc14,bcc15}, " + A0 + B3 + "{bcc12,bcc13,bcc14,bcc15}; ";
    private const string Q10 = "{bcc16,bcc17,bcc18,bcc19}, " + A1 + B0 + "{bcc16,bcc17,bcc18,bcc19}; ";
    private const string Q11 = "{bcc20,bcc21,bcc22,bcc23}, " + A1 + B1 + "{bcc20,bcc21,bcc22,bcc23}; ";
    private const string Q12 = "{bcc24,bcc25,bcc26,bcc27}, " + A1 + B2 + "{bcc24,bcc25,bcc26,bcc27}; ";
    private const string Q13 = "{bcc28,bcc29,bcc30,bcc31}, " + A1 + B3 + "{bcc28,bcc29,bcc30,bcc31}; ";
    private const string Q20 = "{bcc32,bcc33,bcc34,bcc35}, " + A2 + B0 + "{bcc32,bcc33,bcc34,bcc35}; ";
    private const string Q21 = "{bcc36,bcc37,bcc38,bcc39}, " + A2 + B1 + "{bcc36,bcc37,bcc38,bcc39}; ";
    private const string Q22 = "{bcc40,bcc41,bcc42,bcc43}, " + A2 + B2 + "{bcc40,bcc41,bcc42,bcc43}; ";
    private const string Q23 = "{bcc44,bcc45,bcc46,bcc47}, " + A2 + B3 + "{bcc44,bcc45,bcc46,bcc47}; ";
    private const string Q30 = "{bcc48,bcc49,bcc50,bcc51}, " + A3 + B0 + "{bcc48,bcc49,bcc50,bcc51}; ";
    private const string Q31 = "{bcc52,bcc53,bcc54,bcc55}, " + A3 + B1 + "{bcc52,bcc53,bcc54,bcc55}; ";
    private const string Q32 = "{bcc56,bcc57,bcc58,bcc59}, " + A3 + B2 + "{bcc56,bcc57,bcc58,bcc59}; ";
    private const string Q33 = "{bcc60,bcc61,bcc62,bcc63}, " + A3 + B3 + "{bcc60,bcc61,bcc62,bcc63}; ";

    /// <summary>Declares the registers and clears the accumulators; once, at the start of a kernel.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Begin()
    {
        CudaAsm.Emit(".reg .f32 acc<64>;");
        CudaAsm.Emit(".reg .b32 fa<16>;");
        CudaAsm.Emit(".reg .b32 fb<8>;");
        CudaAsm.Emit(Clear);
    }

    /// <summary>The same for the right half's accumulators.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void BeginRight()
    {
        CudaAsm.Emit(".reg .f32 bcc<64>;");
        CudaAsm.Emit(ClearRight);
    }

    /// <summary>Adds the products of eight words of TF32 to the left half.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void MultiplyTf32() => CudaAsm.Emit(
        Tf32 + P00 + Tf32 + P01 + Tf32 + P02 + Tf32 + P03 + Tf32 + P10 + Tf32 + P11 + Tf32 + P12 + Tf32 + P13 +
        Tf32 + P20 + Tf32 + P21 + Tf32 + P22 + Tf32 + P23 + Tf32 + P30 + Tf32 + P31 + Tf32 + P32 + Tf32 + P33);

    /// <summary>Adds the products of eight words of TF32 to the right half.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void MultiplyTf32Right() => CudaAsm.Emit(
        Tf32 + Q00 + Tf32 + Q01 + Tf32 + Q02 + Tf32 + Q03 + Tf32 + Q10 + Tf32 + Q11 + Tf32 + Q12 + Tf32 + Q13 +
        Tf32 + Q20 + Tf32 + Q21 + Tf32 + Q22 + Tf32 + Q23 + Tf32 + Q30 + Tf32 + Q31 + Tf32 + Q32 + Tf32 + Q33);

    /// <summary>Adds the products of eight words of bfloat16 to the left half.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void MultiplyBf16() => CudaAsm.Emit(
        Bf16 + P00 + Bf16 + P01 + Bf16 + P02 + Bf16 + P03 + Bf16 + P10 + Bf16 + P11 + Bf16 + P12 + Bf16 + P13 +
        Bf16 + P20 + Bf16 + P21 + Bf16 + P22 + Bf16 + P23 + Bf16 + P30 + Bf16 + P31 + Bf16 + P32 + Bf16 + P33);

    /// <summary>Adds the products of eight words of bfloat16 to the right half.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void MultiplyBf16Right() => CudaAsm.Emit(
        Bf16 + Q00 + Bf16 + Q01 + Bf16 + Q02 + Bf16 + Q03 + Bf16 + Q10 + Bf16 + Q11 + Bf16 + Q12 + Bf16 + Q13 +
        Bf16 + Q20 + Bf16 + Q21 + Bf16 + Q22 + Bf16 + Q23 + Bf16 + Q30 + Bf16 + Q31 + Bf16 + Q32 + Bf16 + Q33);

    /// <summary>Loads fragments of A from lines of words along the reduction, 64 bytes apart.</summary>
    /// <param name="at">Byte of this lane's quad of words: row lane % 16 of the first block, words 4·(lane / 16).</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadA(int at) => CudaAsm.Emit(
        At + Matrices + A0 + "[at]; " + Matrices + A1 + "[at+1024]; " + Matrices + A2 + "[at+2048]; " + Matrices + A3 + "[at+3072]; }", at);

    /// <summary>Loads fragments of B from lines that are 64 bytes apart.</summary>
    /// <param name="at">Byte of this lane's quad of words: column lane % 8 + lane / 16 · 8, words 4·(lane / 8 % 2).</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadB(int at) => CudaAsm.Emit(At + Matrices + B01 + "[at]; " + Matrices + B23 + "[at+1024]; }", at);

    /// <summary>Loads fragments of A from bfloat16 rows across the reduction.</summary>
    /// <param name="at">Byte of this lane's eight rows of the first block: factor lane % 8 + lane / 16 · 8, rows 8·(lane / 8 % 2)
    /// of 16.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadTransposedA(int at) => CudaAsm.Emit(
        At + Transposed + A0 + "[at]; " + Transposed + A1 + "[at+32]; " + Transposed + A2 + "[at+64]; " + Transposed + A3 + "[at+96]; }",
        at);

    /// <summary>Loads fragments of B from bfloat16 columns across the reduction.</summary>
    /// <param name="at">Byte of this lane's eight columns: factor lane % 16, columns 8·(lane / 16).</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadTransposedB(int at) => CudaAsm.Emit(At + Transposed + B01 + "[at]; " + Transposed + B23 + "[at+32]; }", at);

    /// <summary>Loads fragments of A that lie ready, each thread's four words together; blocks are 128 bytes apart.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadReadyA(int at) => CudaAsm.Emit(
        At + Quad + A0 + "[at]; " + Quad + A1 + "[at+128]; " + Quad + A2 + "[at+256]; " + Quad + A3 + "[at+384]; }", at);

    /// <summary>Loads fragments of B that lie ready, those of two blocks together; pairs of blocks are 64 bytes apart.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadReadyB(int at) => CudaAsm.Emit(At + Quad + B01 + "[at]; " + Quad + B23 + "[at+64]; }", at);

    private const string At = "{ .reg .b32 at; mov.u32 at, __dyn_shared_alloca; add.u32 at, at, %0; ";
    private const string Matrices = "ldmatrix.sync.aligned.m8n8.x4.shared.b16 ";
    private const string Transposed = "ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 ";
    private const string Quad = "ld.shared.v4.b32 ";
    private const string B01 = "{fb0,fb1,fb2,fb3}, ", B23 = "{fb4,fb5,fb6,fb7}, ";

    /// <summary>
    /// Writes row blocks 0 and 1 of a half to dynamic shared memory: eight quads of a thread, 2048 bytes apart, of which quad q has row
    /// 16·(q / 4) + 8·(q % 2) + lane / 4 and quad 4·(q / 2 % 2) + lane % 4 of columns.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void PutTop(int at) => CudaAsm.Emit(At + Put0 + Put1 + "}", at);

    /// <summary>The same with row blocks 2 and 3.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void PutBottom(int at) => CudaAsm.Emit(At + Put2 + Put3 + "}", at);

    /// <summary><see cref="PutTop"/> of the right half.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void PutTopRight(int at) => CudaAsm.Emit(At + PutRight0 + PutRight1 + "}", at);

    /// <summary><see cref="PutBottom"/> of the right half.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void PutBottomRight(int at) => CudaAsm.Emit(At + PutRight2 + PutRight3 + "}", at);

    private const string Put0 =
        "st.shared.v4.f32 [at+0], {acc0,acc1,acc4,acc5}; st.shared.v4.f32 [at+2048], {acc2,acc3,acc6,acc7}; " +
        "st.shared.v4.f32 [at+4096], {acc8,acc9,acc12,acc13}; st.shared.v4.f32 [at+6144], {acc10,acc11,acc14,acc15}; ";
    private const string Put1 =
        "st.shared.v4.f32 [at+8192], {acc16,acc17,acc20,acc21}; st.shared.v4.f32 [at+10240], {acc18,acc19,acc22,acc23}; " +
        "st.shared.v4.f32 [at+12288], {acc24,acc25,acc28,acc29}; st.shared.v4.f32 [at+14336], {acc26,acc27,acc30,acc31}; ";
    private const string Put2 =
        "st.shared.v4.f32 [at+0], {acc32,acc33,acc36,acc37}; st.shared.v4.f32 [at+2048], {acc34,acc35,acc38,acc39}; " +
        "st.shared.v4.f32 [at+4096], {acc40,acc41,acc44,acc45}; st.shared.v4.f32 [at+6144], {acc42,acc43,acc46,acc47}; ";
    private const string Put3 =
        "st.shared.v4.f32 [at+8192], {acc48,acc49,acc52,acc53}; st.shared.v4.f32 [at+10240], {acc50,acc51,acc54,acc55}; " +
        "st.shared.v4.f32 [at+12288], {acc56,acc57,acc60,acc61}; st.shared.v4.f32 [at+14336], {acc58,acc59,acc62,acc63}; ";
    private const string PutRight0 =
        "st.shared.v4.f32 [at+0], {bcc0,bcc1,bcc4,bcc5}; st.shared.v4.f32 [at+2048], {bcc2,bcc3,bcc6,bcc7}; " +
        "st.shared.v4.f32 [at+4096], {bcc8,bcc9,bcc12,bcc13}; st.shared.v4.f32 [at+6144], {bcc10,bcc11,bcc14,bcc15}; ";
    private const string PutRight1 =
        "st.shared.v4.f32 [at+8192], {bcc16,bcc17,bcc20,bcc21}; st.shared.v4.f32 [at+10240], {bcc18,bcc19,bcc22,bcc23}; " +
        "st.shared.v4.f32 [at+12288], {bcc24,bcc25,bcc28,bcc29}; st.shared.v4.f32 [at+14336], {bcc26,bcc27,bcc30,bcc31}; ";
    private const string PutRight2 =
        "st.shared.v4.f32 [at+0], {bcc32,bcc33,bcc36,bcc37}; st.shared.v4.f32 [at+2048], {bcc34,bcc35,bcc38,bcc39}; " +
        "st.shared.v4.f32 [at+4096], {bcc40,bcc41,bcc44,bcc45}; st.shared.v4.f32 [at+6144], {bcc42,bcc43,bcc46,bcc47}; ";
    private const string PutRight3 =
        "st.shared.v4.f32 [at+8192], {bcc48,bcc49,bcc52,bcc53}; st.shared.v4.f32 [at+10240], {bcc50,bcc51,bcc54,bcc55}; " +
        "st.shared.v4.f32 [at+12288], {bcc56,bcc57,bcc60,bcc61}; st.shared.v4.f32 [at+14336], {bcc58,bcc59,bcc62,bcc63}; ";

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

    private const string ClearRight =
        "mov.f32 bcc0, 0f00000000; mov.f32 bcc1, 0f00000000; mov.f32 bcc2, 0f00000000; mov.f32 bcc3, 0f00000000; " +
        "mov.f32 bcc4, 0f00000000; mov.f32 bcc5, 0f00000000; mov.f32 bcc6, 0f00000000; mov.f32 bcc7, 0f00000000; " +
        "mov.f32 bcc8, 0f00000000; mov.f32 bcc9, 0f00000000; mov.f32 bcc10, 0f00000000; mov.f32 bcc11, 0f00000000; " +
        "mov.f32 bcc12, 0f00000000; mov.f32 bcc13, 0f00000000; mov.f32 bcc14, 0f00000000; mov.f32 bcc15, 0f00000000; " +
        "mov.f32 bcc16, 0f00000000; mov.f32 bcc17, 0f00000000; mov.f32 bcc18, 0f00000000; mov.f32 bcc19, 0f00000000; " +
        "mov.f32 bcc20, 0f00000000; mov.f32 bcc21, 0f00000000; mov.f32 bcc22, 0f00000000; mov.f32 bcc23, 0f00000000; " +
        "mov.f32 bcc24, 0f00000000; mov.f32 bcc25, 0f00000000; mov.f32 bcc26, 0f00000000; mov.f32 bcc27, 0f00000000; " +
        "mov.f32 bcc28, 0f00000000; mov.f32 bcc29, 0f00000000; mov.f32 bcc30, 0f00000000; mov.f32 bcc31, 0f00000000; " +
        "mov.f32 bcc32, 0f00000000; mov.f32 bcc33, 0f00000000; mov.f32 bcc34, 0f00000000; mov.f32 bcc35, 0f00000000; " +
        "mov.f32 bcc36, 0f00000000; mov.f32 bcc37, 0f00000000; mov.f32 bcc38, 0f00000000; mov.f32 bcc39, 0f00000000; " +
        "mov.f32 bcc40, 0f00000000; mov.f32 bcc41, 0f00000000; mov.f32 bcc42, 0f00000000; mov.f32 bcc43, 0f00000000; " +
        "mov.f32 bcc44, 0f00000000; mov.f32 bcc45, 0f00000000; mov.f32 bcc46, 0f00000000; mov.f32 bcc47, 0f00000000; " +
        "mov.f32 bcc48, 0f00000000; mov.f32 bcc49, 0f00000000; mov.f32 bcc50, 0f00000000; mov.f32 bcc51, 0f00000000; " +
        "mov.f32 bcc52, 0f00000000; mov.f32 bcc53, 0f00000000; mov.f32 bcc54, 0f00000000; mov.f32 bcc55, 0f00000000; " +
        "mov.f32 bcc56, 0f00000000; mov.f32 bcc57, 0f00000000; mov.f32 bcc58, 0f00000000; mov.f32 bcc59, 0f00000000; " +
        "mov.f32 bcc60, 0f00000000; mov.f32 bcc61, 0f00000000; mov.f32 bcc62, 0f00000000; mov.f32 bcc63, 0f00000000; ";
}
