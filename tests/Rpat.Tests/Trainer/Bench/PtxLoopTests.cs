using Rpat.Engine.Gpu.Ptx;
using Rpat.Tests.Gpu.Ptx;
using Rpat.Trainer.Bench;

namespace Rpat.Tests.Trainer.Bench;

/// <summary>What a step of a matrix kernel's main loop costs.</summary>
public class PtxLoopTests
{
    /// <summary>A loop of sixteen products with a branch of which the longer side counts.</summary>
    private const string Text = """
        .visible .entry kernel()
        {
        mov.u32 %r1, 0;
        L_1:
        ld.global.v4.f32 {%f1, %f2, %f3, %f4}, [%rd1];
        { .reg .b32 to; cp.async.cg.shared.global [to], [%rd2], 16; }
        @%p1 bra L_2;
        rem.s32 %r3, %r1, 4;
        add.s32 %r3, %r1, 4;
        L_2:
        MMA
        bar.sync 0;
        @%p2 bra L_1;
        ret;
        }
        """;

    [Fact]
    public void The_longest_way_counts()
    {
        string products = string.Concat(Enumerable.Repeat("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {a0}, {b0}; ", 16));
        var loop = PtxLoop.Of(Text.Replace("MMA", products, StringComparison.Ordinal))!;
        Assert.Equal(1 + 1 + 18 + 1 + 16 + 1, loop.Slots);
        Assert.Equal(2 * loop.Slots, loop.SlotsPerUnit);
        Assert.Equal(32.0 * 32 / (16 * 2 * 16 * 8 * 8), loop.BytesPerFlop);
        Assert.Equal(1, loop.Bound(("slow", 32, 1)));
        Assert.Equal(16 * 2 / loop.Slots, loop.Bound(("fast", 2, 1)), 12);
        Assert.Null(PtxLoop.Of(Text.Replace("MMA", "", StringComparison.Ordinal)));
    }

    /// <summary>Kernels, and the slots per 32 products (or 512 multiply-adds) that none of them may exceed.</summary>
    [Theory]
    [InlineData("ConvTensorGemm-Tf32-Plain-Narrow", 140)]
    [InlineData("ConvTensorGemm-Tf32-Clamped-Narrow", 155)]
    [InlineData("ConvTensorGemm-Tf32-Scaled", 185)]
    [InlineData("ConvTensorGemm-Tf32-Plain-Wide", 90)]
    [InlineData("ConvTensorGemm-Bf16-Plain-Narrow", 130)]
    [InlineData("ConvTensorGemm-Bf16-Plain-Wide", 90)]
    [InlineData("ConvTensorGemm-Bf16-Clamped", 160)]
    [InlineData("ConvTensorGemm-Bf16-Scaled", 220)]
    [InlineData("ConvTensorGemm-Bf16-ScaledClamped-Wide", 130)]
    [InlineData("WeightTf32Gemm", 290)]
    [InlineData("WeightBf16Gemm-Plain", 240)]
    [InlineData("WeightBf16Gemm-Clamped", 300)]
    [InlineData("WeightBf16Gemm-Scaled", 300)]
    [InlineData("ConvGemm", 742)]
    [InlineData("WeightGemm", 742)]
    public void Main_loops_stay_short(string kernels, double most)
    {
        var types = KernelPrograms.Types.Where(type => PtxKernel.NameOf(type).StartsWith(kernels, StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(types);
        Assert.All(types, type => Assert.InRange(PtxLoop.Of(KernelPrograms.Text(type).Text)!.SlotsPerUnit, 1, most));
    }
}
