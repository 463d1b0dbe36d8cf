using Rpat.Models;
using Rpat.Robust.Methods;
using Rpat.Robust.Modifiers;
using Rpat.Tests.Robust;

namespace Rpat.Tests.Gpu;

/// <summary>Whole attacks and whole training steps on the GPU's kernels end where the CPU backend's do.</summary>
public class TrainingTests(GpuFixture fixture) : IClassFixture<GpuFixture>
{
    private const int Batch = 2;

    private static readonly PgdOptions _start = PgdOptions.Linf with { IsNoise = true };

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_attack_ends_at_the_CPUs_images(bool inL2)
    {
        var options = (inL2 ? PgdOptions.L2 : PgdOptions.Linf) with { Steps = 2 };
        using var cpu = Device.Cpu(1, ConvolutionAlgorithm.Direct);
        float[] there = Attack(cpu, options), here = Attack(fixture.Device(), options);
        int off = there.Zip(here).Count(p => Math.Abs(p.First - p.Second) > 1e-6);
        Assert.True(off <= there.Length / 100, $"{off} of {there.Length} values differ"); // a gradient near zero may change its sign
    }

    /// <summary>Steps whose attack starts at random and takes no gradient, so that no sign can flip.</summary>
    public static TheoryData<Objective> Objectives => [
        new PgdAt(_start).With(new RobustPerception()), new Trades(_start), new Trades(_start).With(new RobustPerception()),
        new Mart(_start),
    ];

    [Theory]
    [MemberData(nameof(Objectives))]
    public void A_training_step_leaves_the_CPUs_weights(Objective objective)
    {
        using var cpu = Device.Cpu(1, ConvolutionAlgorithm.Direct);
        var (state, loss) = Train(cpu, objective);
        var (gpuState, gpuLoss) = Train(fixture.Device(), objective);
        Assert.Equal(loss, gpuLoss, 1e-4);
        TestNets.AssertClose(state, gpuState);
    }

    private static float[] Attack(Device device, PgdOptions options)
    {
        PreActResNet net = TestNets.Small(device, width: 4);
        var pgd = new Pgd(net, options);
        Tensor x = Tensor.From(device, TestNets.Image.WithBatch(Batch), TestNets.Images(Batch, seed: 1));
        return pgd.Perturb(x, Labels.From(device, TestNets.ClassesOf(Batch)), TestNets.Key, TestNets.Indices(Batch)).ToArray();
    }

    private static (NamedArray[] State, double Loss) Train(Device device, Objective objective)
    {
        PreActResNet net = TestNets.Small(device, width: 4);
        var step = new TrainingStep(net, objective, new Sgd(net.Parameters, 0.9f, 5e-4f), seed: 7);
        step.Run(TestNets.Images(Batch, seed: 10), TestNets.ClassesOf(Batch), TestNets.Indices(Batch), epoch: 1, rate: 0.1f);
        return ([.. net.State()], step.Loss.Read());
    }
}
