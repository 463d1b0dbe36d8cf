using Rpat.Engine.Gpu.Queues;

namespace Rpat.Tests.Gpu.Ptx;

/// <summary>
/// Instructions that the convolutions' kernels execute, counted at one layer of PreActResNet-18 and an eighth of one of WRN-34-10: whole
/// launches, with what comes before and after the main loop. Each group has few steps there, since so few tiles split their reduction.
/// </summary>
public class ExecutedTests(GpuFixture fixture) : IClassFixture<GpuFixture>
{
    /// <summary>Channels and map, precision, kernel, and the most of a warp's instructions per 32 products.</summary>
    [Theory]
    [InlineData(64, 32, 32, Precision.Tf32, "ConvTensorGemm-Tf32-Plain-Narrow", 290)]
    [InlineData(64, 32, 32, Precision.Tf32, "WeightTf32Gemm-Plain", 410)]
    [InlineData(64, 32, 32, Precision.Bf16, "ConvTensorGemm-Bf16-Plain-Narrow", 300)]
    [InlineData(64, 32, 32, Precision.Bf16, "WeightBf16Gemm-Plain", 420)]
    [InlineData(160, 4, 32, Precision.Tf32, "ConvTensorGemm-Tf32-Plain-Narrow", 290)]
    [InlineData(160, 4, 32, Precision.Bf16, "ConvTensorGemm-Bf16-Plain-Narrow", 300)]
    public void Per_product(int channels, int rows, int columns, Precision precision, string kernel, double most)
    {
        var device = fixture.Device(precision);
        var s = new ConvShape(new Shape(1, channels, rows, columns), Layout.Blocked, channels, 3, 1, 1);
        var make = new TestTensors(device);
        fixture.Launches.Clear();
        string pass = kernel.StartsWith("Weight", StringComparison.Ordinal) ? "conv dw" : "conv forward";
        Conv2dCases.Passes(make, s, fused: false, x => new Seen(x)).Single(one => one.Name.StartsWith(pass, StringComparison.Ordinal))
            .Run(device.Kernels);
        make.Free();
        var launches = fixture.Launches.FindAll(launch => launch.Kernel == kernel);
        // moves between registers of the text mostly cost nothing
        double executed = launches.Sum(launch => launch.WarpInstructions - launch.Executed.GetValueOrDefault("mov"));
        double products = launches.Sum(launch => launch.Executed["mma"]);
        Assert.InRange(32 * executed / products, 1, most);
    }
}
