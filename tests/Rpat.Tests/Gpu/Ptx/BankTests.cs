using Rpat.Engine.Gpu.Queues;

namespace Rpat.Tests.Gpu.Ptx;

/// <summary>Bank conflicts of shared memory in the kernels whose speed depends on it.</summary>
public class BankTests(GpuFixture fixture) : IClassFixture<GpuFixture>
{
    /// <summary>Kernel, channels of the source, and how convolutions multiply.</summary>
    public static TheoryData<string, int, Precision> Kernels => new()
    {
        { "ConvGemm-Plain", 32, Precision.Fp32 },
        { "WeightGemm-Plain", 32, Precision.Fp32 },
        { "ConvTensorGemm-Tf32-Plain-Narrow", 32, Precision.Tf32 },
        { "ConvTensorGemm-Bf16-Plain-Narrow", 32, Precision.Bf16 },
        { "ConvTensorGemm-Tf32-Plain-Wide", 32, Precision.Tf32 },
        { "ConvTensorGemm-Bf16-Plain-Wide", 32, Precision.Bf16 },
        { "ConvTensorGemm-Tf32-Mixed-Narrow", 8, Precision.Tf32 },
        { "ConvTensorGemm-Bf16-Mixed-Narrow", 8, Precision.Bf16 },
        { "WeightTf32Gemm-Plain", 32, Precision.Tf32 },
        { "WeightBf16Gemm-Plain", 32, Precision.Bf16 },
    };

    /// <summary>No access of a warp takes a pass more than its bytes need.</summary>
    [Theory]
    [MemberData(nameof(Kernels))]
    public void Lanes_do_not_meet_in_a_bank(string kernel, int channels, Precision precision)
    {
        fixture.Launches.Clear();
        var device = fixture.Device(precision);
        bool wide = kernel.EndsWith("Wide", StringComparison.Ordinal);
        fixture.CountsTraffic = true;
        WideTiles.Within(device, wide, () => Convolve(device, channels, wide ? 128 : 64));
        fixture.CountsTraffic = false;
        var launches = fixture.Launches.FindAll(launch => launch.Kernel == kernel);
        Assert.Contains(launches, launch => launch.SharedAccesses > 1000);
        var worst = launches.SelectMany(launch => launch.Instructions).MaxBy(i => i.SharedConflicts)!;
        Assert.True(worst.SharedConflicts == 0,
            $"{kernel}, line {worst.Line} '{worst.Text}': {worst.SharedConflicts} passes too many beside {worst.SharedAccesses}");
    }

    /// <summary>A layer with whole tiles of 128 pixels and 64 or 128 filters.</summary>
    private static void Convolve(GpuDevice device, int channels, int filterCount)
    {
        var s = new ConvShape(new Shape(2, channels, 8, 8), Layout.Blocked, filterCount, 3, 1, 1);
        DeviceBuffer x = Filled(device, s.Input, Layout.Blocked), y = Filled(device, s.Output, Layout.Blocked);
        DeviceBuffer w = Filled(device, new Shape(s.K, s.C, s.R, s.R), Layout.Plain);
        var filters = device.Allocate(device.Kernels.Conv2dFilterLength(s, inputGradient: false));
        device.Kernels.Conv2dArrangeFilters(s, false, w, filters);
        device.Kernels.Conv2dForward(s, x, filters, null, y);
        device.Kernels.Conv2dWeightGradient(s, x, y, false, w);
        foreach (var buffer in new[] { x, y, w, filters }) device.Free(buffer);
    }

    private static DeviceBuffer Filled(GpuDevice device, Shape shape, Layout layout)
    {
        var buffer = device.Allocate(device.StorageLength(shape, layout));
        var values = new float[shape.Count];
        Array.Fill(values, 1);
        if (layout == Layout.Plain) device.Upload(values, buffer);
        else device.UploadBlocked(values, shape, buffer);
        return buffer;
    }
}
