using Rpat.Engine.Gpu.Primitives;
using Rpat.Engine.Gpu.Queues;
using Rpat.Tests.Gpu;
using Rpat.Tests.Gpu.Ptx;
using Rpat.Trainer.Bench;
using Rpat.Trainer.Bench.Kernels;

namespace Rpat.Tests.Trainer.Bench;

/// <summary>The self-test knows every kernel of the contract, and its references are right.</summary>
[Collection(GpuCollection.Name)]
public class SelfTestTests(GpuFixture fixture)
{
    /// <summary>Small and odd, so that the PTX machine finishes soon and tails are met.</summary>
    private static readonly KernelSizes _small = new()
    {
        Batch = 3,
        Layers = [new(3, 6, 8, 3, 1), new(8, 6, 12, 3, 2), new(8, 4, 5, 1, 2), new(16, 4, 16, 3, 1)],
        Map = (6, 4),
        Depthwise = (5, 6),
        ImageSide = 10,
        Features = 20,
        Parameters = 1029,
    };

    [Fact]
    public void Every_kernel_of_the_contract_has_a_case()
    {
        using var device = Device.Cpu(2);
        var covered = new SelfTest(device, _small, TimeSpan.Zero).Run().SelectMany(line => line.Covers).ToHashSet();
        var contract = typeof(IKernels).GetInterfaces().SelectMany(i => i.GetMethods()).Select(m => m.Name).ToHashSet();
        Assert.Empty(contract.Except(covered));
        Assert.Empty(covered.Except(contract));
    }

    [Fact]
    public void The_CPU_passes()
    {
        using var device = Device.Cpu(2);
        Check(device, 1e-5, 1e-5);
    }

    [Fact]
    public void The_GPU_backend_passes() => Check(fixture.Device(), 1e-5, 1e-5);

    [Theory]
    [InlineData(nameof(Precision.Tf32), 3e-3)]
    [InlineData(nameof(Precision.Bf16), 2e-2)]
    public void So_do_its_tensor_cores(string precision, double allowed) => Check(fixture.Device(Enum.Parse<Precision>(precision)), allowed, 1e-5);

    /// <summary>Its cases, all losses, the peaks and views of images launch every kernel of the backend, each instance of a generic one for itself.</summary>
    [Fact]
    public void Every_kernel_of_the_backend_runs_as_PTX()
    {
        fixture.Launches.Clear();
        foreach (var precision in Enum.GetValues<Precision>())
        {
            var device = fixture.Device(precision);
            _ = new SelfTest(device, _small, TimeSpan.Zero).Run().ToList();
            device.QueueMultiplyAdds();
        }
        new RowLossTests(fixture).All_losses(3, 2, 1);
        new LayerTests(fixture).Views_of_images(2, 5, 3, 4);
        var launched = fixture.Launches.Select(launch => launch.Kernel).ToHashSet();
        Assert.Empty(KernelPrograms.Types.Select(type => KernelPrograms.Text(type).Name).Except(launched));
    }

    private static void Check(Device device, double convolution, double rest)
    {
        foreach (var line in new SelfTest(device, _small, TimeSpan.Zero).Run())
            Assert.True(line.Error <= (line.IsConvolution ? convolution : rest), $"{line.Name}: {line.Error:E1}");
    }
}
