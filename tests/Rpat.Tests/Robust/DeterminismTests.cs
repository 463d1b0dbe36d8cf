using Rpat.Robust.Methods;
using Rpat.Robust.Modifiers;

namespace Rpat.Tests.Robust;

/// <summary>The same seed gives the same bits, whatever the number of threads.</summary>
public class DeterminismTests
{
    private static readonly Objective _rpat = new PgdAt(PgdOptions.Linf with { Steps = 3 }).With(new RobustPerception());

    [Theory]
    [InlineData(ConvolutionAlgorithm.Auto, 8, "linf")]
    [InlineData(ConvolutionAlgorithm.Auto, 24, "linf")]
    [InlineData(ConvolutionAlgorithm.Direct, 8, "linf")]
    [InlineData(ConvolutionAlgorithm.Direct, 24, "linf")]
    [InlineData(ConvolutionAlgorithm.Auto, 8, "l2")]
    public void Threads_do_not_change_a_bit_of_three_steps(ConvolutionAlgorithm algorithm, int width, string norm)
    {
        var objective = norm == "linf" ? _rpat : new PgdAt(PgdOptions.L2 with { Steps = 3 }).With(new RobustPerception());
        var one = Train(1, algorithm, objective, width);
        foreach (int threads in new[] { 2, 3 })
        {
            var more = Train(threads, algorithm, objective, width);
            Assert.Equal(one.Losses, more.Losses);
            TestNets.SameBits(one.State, more.State);
        }
    }

    [Fact]
    public void The_same_run_twice_on_one_device_gives_the_same_bits()
    {
        using var device = Device.Cpu(2);
        var first = TestNets.Train(device, _rpat);
        TestNets.Train(device, new Clean(), steps: 1); // leaves other numbers in every piece of scratch memory
        TestNets.SameBits(first.State, TestNets.Train(device, _rpat).State);
    }

    [Fact]
    public void Another_epoch_draws_other_starts()
    {
        using var device = Device.Cpu(2);
        Assert.True(TestNets.Differ(TestNets.Train(device, _rpat, epoch: 1).State, TestNets.Train(device, _rpat, epoch: 2).State));
    }

    private static (NamedArray[] State, double[] Losses) Train(
        int threads, ConvolutionAlgorithm algorithm, Objective objective, int width)
    {
        using var device = Device.Cpu(threads, algorithm);
        return TestNets.Train(device, objective, width: width);
    }
}
