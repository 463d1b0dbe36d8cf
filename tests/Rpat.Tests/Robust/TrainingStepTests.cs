using Rpat.Models;
using Rpat.Robust.Methods;
using Rpat.Robust.Modifiers;

namespace Rpat.Tests.Robust;

/// <summary>What a training step takes, and what it refuses before anything has moved.</summary>
public class TrainingStepTests
{
    private static readonly PgdOptions _pgd = PgdOptions.Linf with { Steps = 2 };

    [Fact]
    public void Statistics_of_no_images_and_of_norms_that_stand_still_are_refused()
    {
        using var device = Device.Cpu(1);
        Assert.Throws<InvalidOperationException>(new BatchStatistics(TestNets.Small(device)).Finish);
        var still = new Network(device, new Shape(1, 3, 8, 8), 2, new Sequential(new Conv2d(3, 4, 3), new BatchNorm(4, momentum: 0),
            Pool.GlobalAverage(), new Linear(4, 2)), seed: 1);
        Assert.Contains("1 has momentum 0", Assert.Throws<ArgumentException>(() => new BatchStatistics(still)).Message);
    }

    [Fact]
    public void ReBATs_stronger_attack_keeps_the_length_of_its_steps()
    {
        var strong = ((ReBat)new ReBat(PgdOptions.Linf) { StrongEps = 10 / 255f }.InEpoch(101)).Attack;
        Assert.Equal((10 / 255f, 2 / 255f, 12), (strong.Eps, strong.StepSize, strong.Steps));
    }

    [Fact]
    public void Parameters_are_frozen_and_freed_between_steps()
    {
        using var device = Device.Cpu(1);
        var run = MethodTests.Make(device, new PgdAt(_pgd).With(new Awp()));
        Parameter first = run.Net.Parameters.Parameters[0];
        MethodTests.Run(run, 0);
        foreach (bool frozen in new[] { true, false, true })
        {
            first.IsFrozen = frozen;
            float[] before = first.ToArray();
            MethodTests.Run(run, 1);
            Assert.Equal(frozen, before.SequenceEqual(first.ToArray()));
        }
    }

    [Theory]
    [InlineData(-1e-9f)]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void A_rate_that_is_none_changes_nothing(float rate)
    {
        using var device = Device.Cpu(1);
        var run = MethodTests.Make(device, new PgdAt(_pgd).With(new Awp()));
        MethodTests.Run(run, 0);
        NamedArray[] before = [.. run.Net.State(), .. run.Step.State()];
        Assert.Throws<ArgumentOutOfRangeException>(() => run.Step.Run(TestNets.Images(4, seed: 1), TestNets.ClassesOf(4),
            TestNets.Indices(4), epoch: 1, rate));
        TestNets.SameBits(before, [.. run.Net.State(), .. run.Step.State()]);
    }
}
