using System.Text.RegularExpressions;
using Rpat.Engine;
using Rpat.Engine.Gpu;
using Rpat.Tests.Gpu;
using Rpat.Trainer.Bench;
using Rpat.Trainer.Bench.Kernels;

namespace Rpat.Tests.Trainer.Bench;

/// <summary>The table of kernels: one line a kernel, with a share of what the device was measured to give.</summary>
[Collection(GpuCollection.Name)]
public partial class KernelTableTests(GpuFixture fixture)
{
    private static readonly KernelSizes _small = new()
    {
        Batch = 2,
        Layers = [new(3, 6, 8, 3, 1), new(8, 4, 5, 3, 1)],
        Map = (6, 4),
        Depthwise = (5, 4),
        ImageSide = 8,
        Features = 8,
        Parameters = 129,
    };

    [Fact]
    public void Every_kernel_has_a_line_on_the_CPU()
    {
        using var device = Device.Cpu(1, ConvolutionAlgorithm.Direct);
        var lines = Check(device);
        Assert.Contains(lines, line => line.Name.StartsWith("conv forward", StringComparison.Ordinal) && line.Flops > 0);
    }

    [Theory]
    [InlineData(nameof(Precision.Fp32))]
    [InlineData(nameof(Precision.Tf32))]
    [InlineData(nameof(Precision.Bf16))]
    public void And_on_the_GPU_backend(string precision) => Check(fixture.Device(Enum.Parse<Precision>(precision)));

    /// <summary>10 GFLOP/s and 2 GB/s: 2 GFLOP take 0.2 s at least, 1 GB takes 0.5 s.</summary>
    [Theory]
    [InlineData(2e9, 0.1e9, 0.4, 0.5, true)]
    [InlineData(2e9, 1e9, 0.5, 1.0, false)]
    [InlineData(0, 0.5e9, 1.0, 0.25, false)]
    public void A_share_is_of_what_bounds_the_kernel(double flops, double bytes, double seconds, double share, bool arithmetic)
    {
        var line = new KernelLine("kernel", "conv", [seconds / 2, seconds, 3 * seconds], flops, bytes, new Peak(10e9, 2e9));
        Assert.Equal(share, line.Share, 12);
        Assert.Equal(arithmetic, line.IsBoundByArithmetic);
    }

    private static List<KernelLine> Check(Device device)
    {
        List<KernelLine> lines = [.. new KernelTable(device, _small, TimeSpan.Zero, rounds: 1, copyWords: 1 << 14).Run()];
        Assert.Equal(lines.Count, lines.Select(line => line.Name).Distinct().Count());
        Assert.Equal(new SelfTest(device, _small, TimeSpan.Zero).Run().Count(), lines.Count);
        Assert.Equal(KernelCategories.All, lines.Select(line => line.Category).Distinct().Order(StringComparer.Ordinal));
        Assert.All(lines, line => Assert.True(line.Share > 0 && double.IsFinite(line.Share), $"{line.Name}: share {line.Share}"));
        Assert.All(lines, line => Assert.Matches(Line(), KernelTable.Format(line)));
        return lines;
    }

    [GeneratedRegex(@"^\S.{41} +\d+\.\d  \d+\.\d–\d+\.\d +(\d+ +)?\d+\.\d +\d+\.\d{3}  (arithmetic|memory)$")]
    private static partial Regex Line();
}
