using System.Runtime.Intrinsics;
using Rpat.PtxMachine.Execution;

namespace Rpat.PtxMachine.Operations;

/// <summary>
/// <c>mma.sync</c>: D = A·B + C of a warp, A 16 rows × k, B k × 8 columns. With g = lane / 4 and t = lane % 4, a thread holds (PTX ISA,
/// "Matrix Fragments for mma"), counted in 32-bit words along k, which are one TF32 or two bfloat16 factors: A (g, t), (g + 8, t) and, of
/// eight words, (g, t + 4), (g + 8, t + 4); B (t, g) and (t + 4, g); C and D (g, 2t), (g, 2t + 1), (g + 8, 2t), (g + 8, 2t + 1).
/// </summary>
/// <remarks>
/// An element is summed in float32, from C on, by rising k, with one rounding per product. Hardware adds in an order of its own.
/// </remarks>
internal static unsafe class Products
{
    private const int Rows = 16, Columns = 8, MostFactors = 16;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(Warp w, Instruction i, uint mask)
    {
        Exchanges.CheckWhole(w, i, mask);
        int words = i.Elements, registersOfA = words / 2, registersOfB = words / 4;
        float* a = stackalloc float[Rows * MostFactors];
        float* b = stackalloc float[MostFactors * Columns];
        float* c = stackalloc float[Rows * Columns];
        var sources = i.Sources.AsSpan();
        for (int r = 0; r < registersOfA; r++)
            Spread((uint*)(w.File + sources[r].Offset), i.Mode, a + r % 2 * 8 * MostFactors, MostFactors, r / 2 * 4, 1);
        for (int r = 0; r < registersOfB; r++) Spread((uint*)(w.File + sources[registersOfA + r].Offset), i.Mode, b, 1, r * 4, Columns);
        for (int r = 0; r < 4; r++) Place((float*)(w.File + sources[registersOfA + registersOfB + r].Offset), c, r);
        Sum(a, b, c, words * i.Mode);
        for (int r = 0; r < 4; r++) Take((float*)(w.File + i.Targets[r].Offset), c, r);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int At(int lane, int register) => (lane / 4 + register / 2 * 8) * Columns + 2 * (lane % 4) + register % 2;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Place(float* register, float* c, int number)
    {
        for (int lane = 0; lane < Warp.Lanes; lane++) c[At(lane, number)] = register[lane];
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Take(float* register, float* c, int number)
    {
        for (int lane = 0; lane < Warp.Lanes; lane++) register[lane] = c[At(lane, number)];
    }

    /// <summary>
    /// The factors of a register as the tensor cores see them: they ignore the bits that TF32 does not have. Those of g lie
    /// <paramref name="line"/> apart, the neighbours along k <paramref name="stride"/>.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Spread(uint* register, int factors, float* to, int line, int first, int stride)
    {
        for (int lane = 0; lane < Warp.Lanes; lane++)
        {
            float* place = to + lane / 4 * line + (first + lane % 4) * factors * stride;
            *place = BitConverter.UInt32BitsToSingle(factors == 1 ? register[lane] & 0xFFFF_E000 : register[lane] << 16);
            if (factors == 2) place[stride] = BitConverter.UInt32BitsToSingle(register[lane] & 0xFFFF_0000);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Sum(float* a, float* b, float* c, int depth)
    {
        for (int row = 0; row < Rows; row++)
        {
            var sum = Vector256.Load(c + row * Columns);
            for (int k = 0; k < depth; k++)
                sum = Vector256.FusedMultiplyAdd(Vector256.Create(a[row * MostFactors + k]), Vector256.Load(b + k * Columns), sum);
            sum.Store(c + row * Columns);
        }
    }
}
