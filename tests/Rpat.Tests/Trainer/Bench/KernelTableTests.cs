using System.Text.RegularExpressions;
using Rpat.Engine.Gpu.Primitives;
using Rpat.Engine.Gpu.Queues;
using Rpat.Tests.Gpu;
using Rpat.Trainer.Bench;
using SelfTest = Rpat.Trainer.Bench.SelfTest;

namespace Rpat.Tests.Trainer.Bench;

/// <summary>The table of kernels: one line a kernel, with a share of what the device was measured to give.</summary>
public partial class KernelTableTests(GpuFixture fixture) : IClassFixture<GpuFixture>
{
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
        Assert.Equal(share, line.PeakFraction, 12);
        Assert.Equal(arithmetic, line.IsBoundByArithmetic);
    }

    [Fact]
    public void What_a_device_gives_at_most_has_rows_too()
    {
        using var device = Device.Cpu(1, ConvolutionAlgorithm.Direct);
        var table = new KernelTable(device, Small, TimeSpan.Zero, rounds: 1, copyWords: 1 << 18);
        var rows = table.Run((_, category) => category == KernelTable.PeakCategory).ToList();
        Assert.Equal(
            ["copy of 1 MiB, driver", "copy of 1 MiB, kernel", "upload of 0.06 MiB", "download of 0.06 MiB", "multiply-adds on "
                + "registers"], rows.Select(row => row.Name));
        Assert.Equal([2 << 20, 2 << 20, 1 << 16, 1 << 16, 0], rows.Select(row => (int)row.Bytes));
        Assert.True(rows[^1].Flops > 0);
    }

    /// <summary>
    /// Behind each convolution and linear layer comes the library's product of the same operations, on matrices that hold numbers.
    /// </summary>
    [Fact]
    public void A_library_is_timed_beside_what_it_could_do()
    {
        using var device = Device.Cpu(1, ConvolutionAlgorithm.Direct);
        HashSet<GemmSize> queued = [];
        var reading = new GpuReading(1000, null, 50, null, 40, null, []);
        var table = new KernelTable(device, Small, TimeSpan.Zero, rounds: 1, copyWords: 1 << 14)
        {
            Library = (size, a, b, c) =>
            {
                Assert.Equal(((long)size.M * size.K, (long)size.K * size.N, (long)size.M * size.N), (a.Length, b.Length, c.Length));
                float[] last = new float[1];
                device.Download(a.View(a.Length - 1, 1), last);
                Assert.InRange(last[0], float.Epsilon, 1);
                queued.Add(size);
            },
            Reading = () => reading,
        };
        var lines = table.Run((_, category) => category is "conv" or "gemm").ToList();
        var ours = lines.Where(line => line.OfCublas is not null).ToList();
        Assert.Equal(6, ours.Count); // three passes of two layers
        Assert.Contains(new GemmSize(2 * 5 * 7, 5, 3 * 9), queued);
        Assert.Contains(new GemmSize(5, 3 * 9, 2 * 5 * 7), queued);
        Assert.Contains(new GemmSize(3, 7, 5), queued);
        foreach (var line in ours)
        {
            var theirs = lines[lines.IndexOf(line) + 1];
            Assert.StartsWith("cuBLAS ", theirs.Name, StringComparison.Ordinal);
            Assert.Equal(theirs.Median / line.Median, line.OfCublas!.Value, 12);
            if (line.Flops > 0) Assert.Equal(line.Flops, theirs.Flops);
            Assert.EndsWith(" of cuBLAS", KernelTable.Format(line), StringComparison.Ordinal);
        }
        Assert.All(lines, line => Assert.Same(reading, line.Row.Gpu));
    }

    [Fact]
    public void A_product_that_has_no_room_has_no_row()
    {
        using var device = Device.Cpu(1);
        var gemm = new GemmClock(device, new KernelClock(device, TimeSpan.Zero), (_, _, _, _) => throw new OutOfMemoryException(), 1);
        Assert.Null(gemm.Seconds(new GemmSize(2, 2, 2)));
    }

    /// <summary>One small size of each op.</summary>
    private static IEnumerable<CaseGroup> Small(OpCases op) => op.Ragged(every: false).Take(1);

    private static List<KernelLine> Check(Device device)
    {
        List<KernelLine> lines = [.. new KernelTable(device, Small, TimeSpan.Zero, rounds: 1, copyWords: 1 << 14).Run()];
        Assert.Equal(lines.Count, lines.Select(line => line.Name).Distinct().Count());
        int tested = new SelfTest(device, OpCases.All.SelectMany(Small), TimeSpan.Zero).Run().Count();
        Assert.Equal(tested, lines.Count(line => line.Category != KernelTable.PeakCategory));
        Assert.Equal(KernelTable.Categories, lines.Select(line => line.Category).Distinct().Order(StringComparer.Ordinal));
        Assert.All(lines, line => Assert.True(line.PeakFraction > 0 && double.IsFinite(line.PeakFraction),
            $"{line.Name}: share {line.PeakFraction}"));
        Assert.All(lines, line => Assert.Matches(Line(), KernelTable.Format(line)));
        return lines;
    }

    [GeneratedRegex(@"^\S.{41} +\d+\.\d  \d+\.\d–\d+\.\d +(\d+ +)?\d+\.\d +\d+\.\d{3}  (arithmetic|memory)$")]
    private static partial Regex Line();
}
