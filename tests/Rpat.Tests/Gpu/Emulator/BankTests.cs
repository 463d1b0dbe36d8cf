using ILGPU;
using ILGPU.Runtime;
using Rpat.Engine;
using Rpat.Engine.Gpu;
using Rpat.Ilgpu.Emulator;

namespace Rpat.Tests.Gpu.Emulator;

/// <summary>Bank conflicts of shared memory: known patterns, and the convolutions' kernels.</summary>
[Collection(GpuCollection.Name)]
public sealed class BankTests(GpuFixture fixture)
{
    /// <summary>Words between lanes, floats or quads of them, and the turns beyond those needed.</summary>
    [Theory]
    [InlineData(1, 0, 0)]
    [InlineData(3, 0, 0)]
    [InlineData(2, 0, 1)]
    [InlineData(32, 0, 31)]
    [InlineData(4, 1, 0)] // quads beside each other: four turns of eight lanes
    [InlineData(8, 1, 4)]
    [InlineData(32, 1, 28)]
    [InlineData(20, 1, 0)]
    public void KnownPatternsTakeKnownTurns(int stride, int quads, int extra)
    {
        var report = Metered(() =>
        {
            using var gpu = new EmulatedGpu();
            var kernel = gpu.Accelerator.LoadKernel<ArrayView<float>, int, int>(Store);
            kernel(gpu.Stream, new KernelConfig(1, 32, SharedMemoryConfig.RequestDynamic<float>(1152)), gpu.Allocate<float>(32), stride, quads);
        });
        Assert.Equal((1L, (long)extra), Assert.Single(report.Kernels).Value);
    }

    /// <summary>Kernel, precision, and the most turns beyond those needed for each access of a warp.</summary>
    [Theory]
    [InlineData("ConvLineGemm", nameof(Precision.Tf32), 0)]
    [InlineData("ConvLineGemm", nameof(Precision.Bf16), 0)]
    [InlineData("WeightTensorGemm", nameof(Precision.Tf32), 0)]
    [InlineData("WeightTensorGemm", nameof(Precision.Bf16), 0)]
    [InlineData("ConvGemm", nameof(Precision.Fp32), 0)]
    [InlineData("WeightGemm", nameof(Precision.Fp32), 0)]
    public void LanesOfConvolutionsDoNotMeetInABank(string kernel, string precision, double most)
    {
        var report = Metered(() => Convolve(Enum.Parse<Precision>(precision)));
        var (accesses, extra) = report.Kernels.Single(pair => pair.Key == kernel || pair.Key == $"{kernel}<{precision}>").Value;
        Assert.True(extra <= most * accesses, $"{kernel}: {extra} turns too many in {accesses} accesses");
    }

    private static BankReport Metered(Action launches)
    {
        var report = new BankReport();
        Emulation.Banks = report;
        try
        {
            launches();
        }
        finally
        {
            Emulation.Banks = null;
        }
        return report;
    }

    /// <summary>A layer with whole tiles: 128 pixels, 64 filters.</summary>
    private void Convolve(Precision precision)
    {
        var device = fixture.Device(precision);
        var s = new ConvShape(new Shape(2, 32, 8, 8), Layout.Blocked, 64, 3, 1, 1);
        var x = Filled(device, s.Input, Layout.Blocked);
        var y = Filled(device, s.Output, Layout.Blocked);
        var w = Filled(device, new Shape(s.K, s.C, s.R, s.R), Layout.Plain);
        foreach (bool gradient in new[] { false, true })
        {
            var filters = device.Allocate(device.Kernels.Conv2dFilterLength(s, gradient));
            device.Kernels.Conv2dArrangeFilters(s, gradient, w, filters);
            if (gradient) device.Kernels.Conv2dInputGradient(s, y, filters, default, false, x);
            else device.Kernels.Conv2dForward(s, x, filters, null, y);
            device.Free(filters);
        }
        device.Kernels.Conv2dWeightGradient(s, x, y, false, w);
        foreach (var buffer in new[] { x, y, w }) device.Free(buffer);
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

    private static void Store(ArrayView<float> target, int stride, int quads)
    {
        var shared = SharedMemory.GetDynamic<float>();
        int at = stride * Group.IdxX;
        if (quads != 0) shared.Cast<Quad>()[at / 4] = new Quad(1);
        else shared[at] = 1;
    }

    private readonly struct Quad(float all)
    {
        public readonly float X = all, Y = all, Z = all, W = all;
    }
}
