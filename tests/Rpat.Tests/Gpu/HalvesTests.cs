using ILGPU;
using ILGPU.Runtime;
using Rpat.Engine.Gpu.Queues;
using Rpat.Models;
using Rpat.Robust.Methods;
using Rpat.Tests.Robust;

using Device = Rpat.Engine.Devices.Device;

namespace Rpat.Tests.Gpu;

/// <summary>Activations in 16 bits: half of the memory, and the weights of the CPU that emulates the rounding.</summary>
public class HalvesTests(GpuFixture fixture) : IClassFixture<GpuFixture>
{
    private static readonly Objective _objective = new PgdAt(PgdOptions.Linf with { IsNoise = true });

    /// <summary>All that a training step of PreActResNet-18 keeps only within the step: activations, gradients, packed weights.</summary>
    [Fact]
    public void A_step_takes_half_the_memory()
    {
        double whole = StepWords(Precision.Tf32), halves = StepWords(Precision.Bf16);
        Assert.InRange(halves / whole, 0.49, 0.51);
    }

    /// <summary>A step whose attack takes no gradient, so that no sign can flip; channels fill a step of a product or not.</summary>
    [Theory]
    [InlineData(4)]
    [InlineData(32)]
    public void A_training_step_leaves_the_emulations_weights(int width)
    {
        using var cpu = GpuBackend.EmulateBf16(1, ConvolutionAlgorithm.Direct);
        var (there, loss) = Train(cpu, width);
        var (here, same) = Train(fixture.Device(Precision.Bf16), width);
        Assert.Equal(loss, same, 1e-3);
        TestNets.AssertClose(there, here);
    }

    private static double StepWords(Precision precision)
    {
        using var device = GpuDevice.Simulator(precision, through: queue => new IdleQueue(queue));
        var net = new PreActResNet(device, new PreActResNetOptions { Input = new(1, 3, 32, 32), Classes = 10 }, seed: 1);
        var step = new TrainingStep(net, _objective, new Sgd(net.Parameters, 0.9f, 5e-4f), seed: 7);
        const int batch = 128;
        step.Run(new float[batch * net.InputShape.SampleCount], new int[batch], TestNets.Indices(batch), epoch: 1, rate: 0.1f);
        return device.Arena.Capacity;
    }

    private static (NamedArray[] State, double Loss) Train(Device device, int width)
    {
        PreActResNet net = TestNets.Small(device, width);
        var step = new TrainingStep(net, _objective, new Sgd(net.Parameters, 0.9f, 5e-4f), seed: 7);
        step.Run(TestNets.Images(2, seed: 10), TestNets.ClassesOf(2), TestNets.Indices(2), epoch: 1, rate: 0.1f);
        return ([.. net.State()], step.Loss.Read());
    }

    /// <summary>Allocates memory, which nobody touches, and runs nothing.</summary>
    private sealed class IdleQueue(IWorkQueue memory) : IWorkQueue
    {
        public MemoryBuffer1D<float, Stride1D.Dense> Allocate(long words) => memory.Allocate(words);

        public void Clear(ArrayView<float> target)
        {
        }

        public void Copy<T>(ArrayView<T> source, ArrayView<T> target) where T : unmanaged
        {
        }

        public Action<KernelConfig, T> Load<T>() where T : struct, IKernel => static (_, _) => { };
    }
}
