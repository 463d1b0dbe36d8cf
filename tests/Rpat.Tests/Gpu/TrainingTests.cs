using Rpat.Engine;
using Rpat.Engine.IO;
using Rpat.Engine.Optim;
using Rpat.Models;
using Rpat.Robust;
using Rpat.Robust.Methods;
using Rpat.Tests.Ops;
using Rpat.Tests.Reference;
using Rpat.Tests.Robust;

namespace Rpat.Tests.Gpu;

/// <summary>A whole attack and a whole RPAT step on the GPU's kernels end where the CPU backend's do.</summary>
[Collection(GpuCollection.Name)]
public class TrainingTests(GpuFixture fixture)
{
    private const int Batch = 2;

    [Fact]
    public void An_attack_ends_at_the_CPUs_images()
    {
        using var cpu = Device.Cpu(1, ConvolutionAlgorithm.Direct);
        float[] there = Attack(cpu), here = Attack(fixture.Device());
        int off = there.Zip(here).Count(p => Math.Abs(p.First - p.Second) > 1e-6);
        Assert.True(off <= there.Length / 100, $"{off} of {there.Length} values differ"); // a gradient near zero may change its sign
    }

    [Fact]
    public void A_step_of_RPAT_leaves_the_CPUs_weights()
    {
        using var cpu = Device.Cpu(1, ConvolutionAlgorithm.Direct);
        var (state, loss) = Train(cpu);
        var (gpuState, gpuLoss) = Train(fixture.Device());
        Assert.Equal(loss, gpuLoss, 1e-4);
        foreach (var (a, b) in state.Zip(gpuState))
            if (!a.Name.EndsWith("num_batches_tracked", StringComparison.Ordinal))
                OpGraph.AssertClose(Array(a), Array(b), new Tolerance(1e-3, 1e-7), a.Name);
    }

    private static float[] Attack(Device device)
    {
        PreActResNet net = TestNets.Small(device, width: 4);
        var pgd = new Pgd(net, PgdOptions.Linf with { Steps = 1 });
        Tensor x = Tensor.From(device, TestNets.Image.WithBatch(Batch), TestNets.Images(Batch, seed: 1));
        return pgd.Perturb(x, Labels.From(device, TestNets.ClassesOf(Batch)), TestNets.Key, TestNets.Indices(Batch)).ToArray();
    }

    /// <summary>One step whose attack starts at random and takes no gradient, so that no sign can flip.</summary>
    private static (NamedArray[] State, double Loss) Train(Device device)
    {
        PreActResNet net = TestNets.Small(device, width: 4);
        var step = new TrainingStep(net, new PgdAt(PgdOptions.Linf with { Steps = 0 }) { Perception = new() }, new Sgd(net.Parameters, 0.9f, 5e-4f), seed: 7);
        step.Run(TestNets.Images(Batch, seed: 10), TestNets.ClassesOf(Batch), TestNets.Indices(Batch), epoch: 1, rate: 0.1f);
        return ([.. net.State()], step.Loss.Read());
    }

    private static Array4 Array(NamedArray a)
    {
        float[] values = a.ToFloats();
        return Array4.FromFloats(1, values.Length, 1, 1, values);
    }
}
