using Rpat.Models;
using Rpat.Robust.Methods;
using Rpat.Robust.Modifiers;
using Rpat.Tests.Support;

namespace Rpat.Tests.Robust;

/// <summary>A replay allocates nothing on the managed heap, on any thread.</summary>
[Collection(SerialCollection.Name)]
public class AllocationTests
{
    [Theory]
    [InlineData(ConvolutionAlgorithm.Auto, 1)]
    [InlineData(ConvolutionAlgorithm.Auto, 2)]
    [InlineData(ConvolutionAlgorithm.Direct, 2)]
    public void A_replayed_training_step_allocates_nothing(ConvolutionAlgorithm algorithm, int threads)
    {
        using var device = Device.Cpu(threads, algorithm);
        PreActResNet net = TestNets.Small(device, width: 16);
        Objective objective = new PgdAt(PgdOptions.Linf with { Steps = 3 }).With(new RobustPerception());
        TrainingStep step = new(net, objective, new Sgd(net.Parameters, 0.9f, 5e-4f), seed: 1);
        float[] images = TestNets.Images(4, seed: 1);
        int[] labels = TestNets.ClassesOf(4);
        long[] samples = TestNets.Indices(4);
        AssertNothing(() => step.Run(images, labels, samples, epoch: 1, rate: 0.1f));
        AssertNothing(() => step.Loss.Read());
    }

    [Theory]
    [InlineData("linf", 1)]
    [InlineData("l2", 1)]
    [InlineData("linf", 3)]
    public void A_repeated_attack_allocates_nothing(string norm, int restarts)
    {
        using var device = Device.Cpu(2);
        PgdOptions options = (norm == "linf" ? PgdOptions.Linf : PgdOptions.L2) with { Steps = 2, Restarts = restarts };
        Pgd pgd = new(TestNets.Small(device), options);
        Tensor x = Tensor.From(device, TestNets.Image.WithBatch(3), TestNets.Images(3, seed: 2));
        Labels labels = Labels.From(device, TestNets.ClassesOf(3));
        long[] samples = TestNets.Indices(3);
        AssertNothing(() => pgd.Perturb(x, labels, TestNets.Key, samples));
    }

    [Fact]
    public void Averaging_weights_allocates_nothing()
    {
        using var device = Device.Cpu(2);
        Ema ema = new(TestNets.Small(device, seed: 1), TestNets.Small(device, seed: 2));
        AssertNothing(() => ema.Update(0.99f));
    }

    private static void AssertNothing(Action replay) => Assert.Equal((0L, 0L), Allocations.Of(replay));
}
