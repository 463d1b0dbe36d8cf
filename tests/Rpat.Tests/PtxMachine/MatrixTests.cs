using Rpat.PtxMachine;

namespace Rpat.Tests.PtxMachine;

/// <summary>Matrix loads and products against the figures of the PTX ISA.</summary>
public sealed class MatrixTests : IDisposable
{
    private const string Product = "mma.sync.aligned.{0} {%f0,%f1,%f2,%f3}, {%r10,%r11,%r12,%r13}, {%r14,%r15}, {%f0,%f1,%f2,%f3};";
    private const string ShortProduct = "mma.sync.aligned.{0} {%f0,%f1,%f2,%f3}, {%r10,%r11}, {%r14}, {%f0,%f1,%f2,%f3};";
    private const string Fragments = """
        mul.wide.u32 %rd5, %r0, 48; add.s64 %rd5, %rd5, %rd1;
        ld.global.v4.b32 {%r10,%r11,%r12,%r13}, [%rd5]; ld.global.v2.b32 {%r14,%r15}, [%rd5+16];
        ld.global.v4.f32 {%f0,%f1,%f2,%f3}, [%rd5+32];

        """;
    private const string Store = "\nmul.wide.u32 %rd6, %r0, 16; add.s64 %rd6, %rd6, %rd0; st.global.v4.f32 [%rd6], {%f0,%f1,%f2,%f3};";

    private readonly PtxRig _rig = new();
    private readonly Random _random = new(7);

    public void Dispose() => _rig.Dispose();

    [Theory]
    [InlineData("m16n8k8.row.col.f32.tf32.tf32.f32", 1, 8)]
    [InlineData("m16n8k16.row.col.f32.bf16.bf16.f32", 2, 16)]
    [InlineData("m16n8k4.row.col.f32.tf32.tf32.f32", 1, 4)]
    [InlineData("m16n8k8.row.col.f32.bf16.bf16.f32", 2, 8)]
    public void Products_have_the_fragments_of_the_figures(string shape, int perWord, int depth)
    {
        var (figureA, figureB) = perWord == 1 ? (FragmentFigures.TfA, FragmentFigures.TfB) : (FragmentFigures.BfA, FragmentFigures.BfB);
        float[,] a = Fill(16, depth), b = Fill(depth, 8), c = Fill(16, 8);
        uint[] words = new uint[32 * 12];
        Spread(a, figureA, perWord, words, 0);
        Spread(b, figureB, perWord, words, 4);
        Spread(c, FragmentFigures.C, 1, words, 8);
        string product = (figureA.GetLength(1) == depth ? Product : ShortProduct).Put(shape);
        _rig.With<uint>(words).Run(Fragments + product + Store);
        for (int row = 0; row < 16; row++)
        {
            for (int column = 0; column < 8; column++)
            {
                float expected = c[row, column];
                for (int k = 0; k < depth; k++) expected += a[row, k] * b[k, column];
                var (lane, part) = FragmentFigures.C[row, column];
                Assert.Equal(expected, _rig.Floats[lane * 4 + part]);
            }
        }
    }

    [Fact]
    public void Products_ignore_bits_that_TF32_does_not_have_and_sum_in_float32()
    {
        uint almost = 0x3F801FFF, one = 0x3F800000;
        uint[] lane = [almost, almost, almost, almost, one, one, 0, 0, 0x4B800000, 0, 0, 0];
        _rig.With<uint>([.. Enumerable.Repeat(lane, 32).SelectMany(word => word)]);
        _rig.Run(Fragments + Product.Put("m16n8k8.row.col.f32.tf32.tf32.f32") + Store);
        Assert.Equal((16777216f, 8f), (_rig.Floats[0], _rig.Floats[1])); // 2²⁴ + 1 is 2²⁴ each time
    }

    [Theory]
    [InlineData("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%f0,%f1,%f2,%f3}, {%r0,%r0,%r0,%r0}, {%r0,%r0}, {%f0,%f1,%f2,%f3};")]
    [InlineData("ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%r5}, [%r3];")]
    public void Operations_of_a_warp_need_the_whole_warp(string operation)
    {
        const string Begin = "mov.f32 %f0, 0f00000000; mov.f32 %f1, %f0; mov.f32 %f2, %f0; mov.f32 %f3, %f0; "
            + "st.shared.b32 [%r4], %r0; bar.sync 0; ";
        Assert.Contains("thread (20, 0, 0) does not reach", _rig.Fails(PtxFaultKind.Exchange, Begin + "setp.lt.s32 %p1, %r0, 20; "
            + "@%p1 " + operation).Message);
        Assert.Contains("which has 24 threads", _rig.Fails(PtxFaultKind.Exchange, Begin + operation, threads: 24).Message);
        _rig.Run(Begin + operation);
    }

    [Fact]
    public void A_fragment_that_is_not_written_fails() => Assert.Contains("register %r13 is read", _rig.Fails(
        PtxFaultKind.UnwrittenRegister,
        "mov.b32 %r10, 0; mov.b32 %r11, 0; mov.b32 %r12, 0; mov.f32 %f0, 0f00000000; "
        + "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 "
        + "{%f0,%f1,%f2,%f3}, {%r10,%r11,%r12,%r13}, {%r10,%r10}, {%f0,%f0,%f0,%f0};").Message);

    [Theory]
    [InlineData(4, false)]
    [InlineData(4, true)]
    [InlineData(2, true)]
    [InlineData(1, false)]
    public void Matrices_are_spread_as_the_figures_show(int matrices, bool transposed)
    {
        ushort[] values = [.. Enumerable.Range(0, 256).Select(i => (ushort)(i * 7))];
        string registers = string.Join(',', Enumerable.Range(10, matrices).Select(r => $"%r{r}"));
        string stored = string.Join(',', Enumerable.Range(0, 4).Select(r => $"%r{10 + Math.Min(r, matrices - 1)}"));
        var report = _rig.With<ushort>(values).Run($$"""
            shl.b32 %r5, %r0, 4; add.s32 %r6, %r3, %r5; mul.wide.u32 %rd5, %r0, 16; add.s64 %rd6, %rd1, %rd5;
            ld.global.v4.b32 {%r10,%r11,%r12,%r13}, [%rd6]; st.shared.v4.b32 [%r6], {%r10,%r11,%r12,%r13}; bar.sync 0;
            ldmatrix.sync.aligned.m8n8.x{{matrices}}{{(transposed ? ".trans" : "")}}.shared.b16 {{{registers}}}, [%r6];
            add.s64 %rd7, %rd0, %rd5; st.global.v4.b32 [%rd7], {{{stored}}};
            """);
        for (int lane = 0; lane < 32; lane++)
        {
            for (int matrix = 0; matrix < matrices; matrix++)
            {
                // In the figure, thread 4r + p holds the p-th pair of row r; transposed, of column r.
                int low = matrix * 64 + (transposed ? lane % 4 * 2 * 8 + lane / 4 : lane / 4 * 8 + lane % 4 * 2);
                int high = low + (transposed ? 8 : 1);
                Assert.Equal((uint)values[high] << 16 | values[low], _rig.Words[lane * 4 + matrix]);
            }
        }
        var load = report.Instructions.Single(i => i.Operation == "ldmatrix");
        Assert.Equal((matrices, 0), (load.SharedAccesses, load.SharedConflicts));
    }

    // Values that both formats hold exactly.
    private float[,] Fill(int rows, int columns)
    {
        var values = new float[rows, columns];
        for (int row = 0; row < rows; row++)
            for (int column = 0; column < columns; column++) values[row, column] = _random.Next(-64, 65) / 32f;
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
                words[lane * 12 + first + part / perWord] |= perWord == 1 ? bits : bits >> 16 << part % 2 * 16;
            }
        }
    }
}
