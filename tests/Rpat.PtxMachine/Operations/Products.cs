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
    private const int Rows = 16, Quads = 8, MostFactors = 16;
    private const int Tf32Bits = unchecked((int)0xFFFF_E000), HighHalf = unchecked((int)0xFFFF_0000);

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(Warp w, Instruction i, uint mask)
    {
        Exchanges.CheckWhole(w, i, mask);
        int quads = i.Elements / 4, firstOfB = 2 * quads, firstOfC = 3 * quads;
        var sources = i.Sources.AsSpan();
        var b = stackalloc Vector256<float>[MostFactors];
        for (int q = 0; q < quads; q++) Spread((int*)(w.File + sources[firstOfB + q].Offset), i.Mode, b + 4 * i.Mode * q);
        var results = stackalloc Vector256<float>[Rows]; // a target may be a source of a later row
        for (int row = 0; row < Rows; row++)
        {
            int half = row / Quads, lane = row % Quads * 4;
            byte* even = w.File + sources[firstOfC + 2 * half].Offset, odd = w.File + sources[firstOfC + 2 * half + 1].Offset;
            var sum = Interleave((float*)even + lane, (float*)odd + lane);
            for (int q = 0; q < quads; q++)
                sum = Add((int*)(w.File + sources[half + 2 * q].Offset) + lane, b + 4 * i.Mode * q, i.Mode, sum);
            results[row] = Floats.Clean(sum);
        }
        for (int row = 0; row < Rows; row++)
        {
            int half = row / Quads, lane = row % Quads * 4;
            var parted = Vector256.Shuffle(results[row], Vector256.Create(0, 2, 4, 6, 1, 3, 5, 7));
            parted.GetLower().Store((float*)(w.File + i.Targets[2 * half].Offset) + lane);
            parted.GetUpper().Store((float*)(w.File + i.Targets[2 * half + 1].Offset) + lane);
        }
    }

    /// <summary>
    /// The rows of B that a register holds, as the tensor cores see their factors: they ignore the bits that TF32 does not have.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Spread(int* register, int factors, Vector256<float>* rows)
    {
        for (int t = 0; t < 4; t++, register++)
        {
            var words = Vector256.Create(
                register[0], register[4], register[8], register[12], register[16], register[20], register[24], register[28]);
            if (factors == 1) rows[t] = (words & Vector256.Create(Tf32Bits)).AsSingle();
            else (rows[2 * t], rows[2 * t + 1]) = ((words << 16).AsSingle(), (words & Vector256.Create(HighHalf)).AsSingle());
        }
    }

    /// <summary>Adds the products of four words of a row of A.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Add(int* words, Vector256<float>* b, int factors, Vector256<float> sum)
    {
        for (int t = 0; t < 4; t++)
        {
            if (factors == 1) sum = Vector256.FusedMultiplyAdd(Vector256.Create(words[t] & Tf32Bits).AsSingle(), b[t], sum);
            else
            {
                sum = Vector256.FusedMultiplyAdd(Vector256.Create(words[t] << 16).AsSingle(), b[2 * t], sum);
                sum = Vector256.FusedMultiplyAdd(Vector256.Create(words[t] & HighHalf).AsSingle(), b[2 * t + 1], sum);
            }
        }
        return sum;
    }

    /// <summary>A row of C from its even and its odd columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Interleave(float* even, float* odd) => Vector256.Shuffle(
        Vector256.Create(Vector128.Load(even), Vector128.Load(odd)), Vector256.Create(0, 4, 1, 5, 2, 6, 3, 7));
}
