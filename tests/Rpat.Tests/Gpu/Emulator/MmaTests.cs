using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using Rpat.Ilgpu.Emulator.Ptx;

namespace Rpat.Tests.Gpu.Emulator;

/// <summary>The tensor-core instructions: products of whole matrices, spread over the threads as the figures of the PTX ISA show.</summary>
public sealed class MmaTests : IDisposable
{
    private const string Registers = ".reg .b32 a<4>; .reg .b32 b<2>; .reg .f32 c<4>;";
    private const string Inputs = "mov.b32 a0, %0; mov.b32 a1, %1; mov.b32 a2, %2; mov.b32 a3, %3; mov.b32 b0, %4; mov.b32 b1, %5;";
    private const string WrongInputs = "mov.b32 a0, %0; mov.b32 a2, %1; mov.b32 a1, %2; mov.b32 a3, %3; mov.b32 b0, %4; mov.b32 b1, %5;";
    private const string Sums = "mov.f32 c0, %0; mov.f32 c1, %1; mov.f32 c2, %2; mov.f32 c3, %3;";
    private const string Operands = " {c0,c1,c2,c3}, {a0,a1,a2,a3}, {b0,b1}, {c0,c1,c2,c3};";
    private const string Tf32 = "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32" + Operands;
    private const string Bf16 = "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32" + Operands;

    private readonly EmulatedGpu _gpu = new();
    private readonly Random _random = new(7);

    public void Dispose() => _gpu.Dispose();

    [Fact]
    public void Tf32FragmentsLieAsTheFiguresShow() => Check(MultiplyTf32, FragmentFigures.TfA, FragmentFigures.TfB, 1, wrong: false);

    [Fact]
    public void Bf16FragmentsLieAsTheFiguresShow() => Check(MultiplyBf16, FragmentFigures.BfA, FragmentFigures.BfB, 2, wrong: false);

    [Fact]
    public void AWrongFragmentIndexShows() => Check(MultiplyWrong, FragmentFigures.TfA, FragmentFigures.TfB, 1, wrong: true);

    [Fact]
    public void AThreadThatStaysAwayFails() => Assert.Contains("waits in mma.sync", EmulatedGpu.Fails(() => Run(MultiplyInHalf, new uint[192], new float[128])));

    [Fact]
    public void ARegisterThatIsNotDeclaredFails() => Assert.Contains("register zz in assembly, which is not declared",
        EmulatedGpu.Fails(() => Run(Undeclared, new uint[192], new float[128])));

    [Fact]
    public void ARegisterThatIsNotWrittenFails() => Assert.Contains("register a0 in assembly, which is not written yet",
        EmulatedGpu.Fails(() => Run(Unwritten, new uint[192], new float[128])));

    [Theory]
    [InlineData(1f, 0x3F800000u)]
    [InlineData(1.00048828125f, 0x3F802000u)] // halfway: away from zero
    [InlineData(-1.00048828125f, 0xBF802000u)]
    [InlineData(1.000488f, 0x3F800000u)]
    [InlineData(float.PositiveInfinity, 0x7F800000u)]
    public void Tf32RoundsToTenBitsAwayFromZero(float value, uint bits) => Assert.Equal(bits, PtxArithmetic.ToTf32(value));

    [Theory]
    [InlineData(1f, 0x3F80u)]
    [InlineData(1.00390625f, 0x3F80u)] // halfway: to even
    [InlineData(1.01171875f, 0x3F82u)]
    [InlineData(-1.0078125f, 0xBF81u)]
    public void Bf16RoundsToSevenBitsTiesToEven(float value, uint bits) => Assert.Equal(bits, PtxArithmetic.ToBf16(value));

    private void Check(Action<ArrayView<uint>, ArrayView<float>, ArrayView<float>> kernel, (int Lane, int Part)[,] figureA,
        (int Lane, int Part)[,] figureB, int perWord, bool wrong)
    {
        float[,] a = Fill(figureA), b = Fill(figureB), c = Fill(FragmentFigures.C);
        uint[] words = new uint[32 * 6];
        Spread(a, figureA, perWord, words, 0);
        Spread(b, figureB, perWord, words, 4);
        float[] results = Run(kernel, words, Collect(c));
        double worst = 0;
        for (int row = 0; row < 16; row++)
        {
            for (int column = 0; column < 8; column++)
            {
                double expected = c[row, column];
                for (int k = 0; k < a.GetLength(1); k++) expected += (double)a[row, k] * b[k, column];
                var (lane, part) = FragmentFigures.C[row, column];
                worst = Math.Max(worst, Math.Abs(expected - results[lane * 4 + part]));
            }
        }
        Assert.True(wrong ? worst > 0.1 : worst < 1e-5, $"worst difference {worst}");
    }

    private float[] Run(Action<ArrayView<uint>, ArrayView<float>, ArrayView<float>> kernel, uint[] words, float[] sums)
    {
        var results = _gpu.Allocate<float>(128);
        _gpu.Accelerator.LoadKernel(kernel)(_gpu.Stream, new KernelConfig(1, 32), _gpu.Upload(words), _gpu.Upload(sums), results);
        return results.GetAsArray(_gpu.Stream);
    }

    // Values that both formats hold exactly.
    private float[,] Fill((int, int)[,] figure)
    {
        var values = new float[figure.GetLength(0), figure.GetLength(1)];
        for (int row = 0; row < values.GetLength(0); row++)
            for (int column = 0; column < values.GetLength(1); column++) values[row, column] = _random.Next(-64, 65) / 32f;
        return values;
    }

    private static void Spread(float[,] matrix, (int Lane, int Part)[,] figure, int perWord, uint[] words, int first)
    {
        for (int row = 0; row < matrix.GetLength(0); row++)
        {
            for (int column = 0; column < matrix.GetLength(1); column++)
            {
                var (lane, part) = figure[row, column];
                uint bits = BitConverter.SingleToUInt32Bits(matrix[row, column]);
                words[lane * 6 + first + part / perWord] |= perWord == 1 ? bits : bits >> 16 << part % 2 * 16;
            }
        }
    }

    private static float[] Collect(float[,] matrix)
    {
        var values = new float[128];
        for (int row = 0; row < 16; row++)
            for (int column = 0; column < 8; column++) values[FragmentFigures.C[row, column].Lane * 4 + FragmentFigures.C[row, column].Part] = matrix[row, column];
        return values;
    }

    private static void MultiplyTf32(ArrayView<uint> words, ArrayView<float> sums, ArrayView<float> results)
    {
        CudaAsm.Emit(Registers);
        int at = Group.IdxX * 6;
        CudaAsm.Emit(Inputs, words[at], words[at + 1], words[at + 2], words[at + 3], words[at + 4], words[at + 5]);
        at = Group.IdxX * 4;
        CudaAsm.Emit(Sums, sums[at], sums[at + 1], sums[at + 2], sums[at + 3]);
        CudaAsm.Emit(Tf32);
        Save(results.SubView(at, 4));
    }

    private static void MultiplyBf16(ArrayView<uint> words, ArrayView<float> sums, ArrayView<float> results)
    {
        CudaAsm.Emit(Registers);
        int at = Group.IdxX * 6;
        CudaAsm.Emit(Inputs, words[at], words[at + 1], words[at + 2], words[at + 3], words[at + 4], words[at + 5]);
        at = Group.IdxX * 4;
        CudaAsm.Emit(Sums, sums[at], sums[at + 1], sums[at + 2], sums[at + 3]);
        CudaAsm.Emit(Bf16);
        Save(results.SubView(at, 4));
    }

    private static void MultiplyWrong(ArrayView<uint> words, ArrayView<float> sums, ArrayView<float> results)
    {
        CudaAsm.Emit(Registers);
        int at = Group.IdxX * 6;
        CudaAsm.Emit(WrongInputs, words[at], words[at + 1], words[at + 2], words[at + 3], words[at + 4], words[at + 5]);
        at = Group.IdxX * 4;
        CudaAsm.Emit(Sums, sums[at], sums[at + 1], sums[at + 2], sums[at + 3]);
        CudaAsm.Emit(Tf32);
        Save(results.SubView(at, 4));
    }

    private static void MultiplyInHalf(ArrayView<uint> words, ArrayView<float> sums, ArrayView<float> results)
    {
        if (Group.IdxX < 16) MultiplyTf32(words, sums, results);
    }

    private static void Undeclared(ArrayView<uint> words, ArrayView<float> sums, ArrayView<float> results) => CudaAsm.Emit("mov.b32 zz, %0;", words[0]);

    private static void Unwritten(ArrayView<uint> words, ArrayView<float> sums, ArrayView<float> results)
    {
        CudaAsm.Emit(Registers);
        CudaAsm.Emit(Tf32);
    }

    private static void Save(ArrayView<float> results)
    {
        CudaAsm.Emit("mov.f32 %0, c0;", out float c0);
        CudaAsm.Emit("mov.f32 %0, c1;", out float c1);
        CudaAsm.Emit("mov.f32 %0, c2;", out float c2);
        CudaAsm.Emit("mov.f32 %0, c3;", out float c3);
        results[0] = c0;
        results[1] = c1;
        results[2] = c2;
        results[3] = c3;
    }
}
