using Rpat.Models;
using Rpat.Robust.Losses;
using Rpat.Robust.Methods;
using Rpat.Robust.Modifiers;

namespace Rpat.Tests.Robust;

/// <summary>Identities of the training methods (methods.md 7.3).</summary>
public class ObjectiveTests
{
    private static readonly PgdOptions _attack = PgdOptions.Linf with { Steps = 2 };
    private static readonly PgdAt _base = new(_attack);

    [Theory]
    [InlineData(ConvolutionAlgorithm.Auto)]
    [InlineData(ConvolutionAlgorithm.Direct)]
    public void Rpat_of_weight_zero_is_its_base_bit_by_bit(ConvolutionAlgorithm algorithm)
    {
        using var device = Device.Cpu(2, algorithm);
        var plain = TestNets.Train(device, _base);
        var zero = TestNets.Train(device, _base.With(new RobustPerception { Weight = 0 }));
        TestNets.SameBits(plain.State, zero.State);
        Assert.Equal(plain.Losses, zero.Losses);
        Assert.True(TestNets.Differ(plain.State, TestNets.Train(device, _base.With(new RobustPerception())).State));
    }

    /// <summary>SAM puts back the weights from before its own pass, and AWP takes its move from those after its own.</summary>
    [Fact]
    public void Two_modifiers_that_move_the_weights_before_a_pass_are_refused()
    {
        using var device = Device.Cpu(1);
        Assert.Contains("move the weights before the same pass", Assert.Throws<ArgumentException>(
            () => TestNets.Train(device, _base.With(new Sam(), new Awp()))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_constant_factor_stays_on_a_scheduled_term()
    {
        using var device = Device.Cpu(1);
        var tape = new Tape(device);
        var loss = tape.CrossEntropy(Tensor.From(device, new Shape(1, 2), [0, 0]), Labels.From(device, [0]));
        var schedule = new ScheduledTerms();
        _ = 0.5f * schedule.Add(new StepCoefficient(3, 2, 7), schedule.Add(new LinearCoefficient(10, 4), loss));
        foreach (var (epoch, weight) in new[] { (1, 0.5f * 3 * 2.5f), (2, 0.5f * 7 * 5), (1, 0.5f * 3 * 2.5f) })
        {
            schedule.Enter(new StepContext { Epoch = epoch });
            Assert.Equal(weight, loss.Terms[0].Weight);
        }
    }

    [Fact]
    public void The_start_epoch_counts_from_one_and_is_the_first_with_the_term()
    {
        using var device = Device.Cpu(2);
        var late = _base.With(new RobustPerception { Start = 3 });
        Assert.Equal(_base.ForEpoch(2), late.ForEpoch(2));
        Assert.Equal(late.Modifiers, late.ForEpoch(3).Modifiers);
        TestNets.SameBits(TestNets.Train(device, _base, epoch: 2).State, TestNets.Train(device, late, epoch: 2).State);
        TestNets.SameBits(TestNets.Train(device, _base.With(new RobustPerception()), epoch: 3).State,
            TestNets.Train(device, late, epoch: 3).State);
    }

    [Fact]
    public void A_net_can_cross_the_start_epoch()
    {
        using var device = Device.Cpu(1);
        PreActResNet net = TestNets.Small(device);
        TrainingStep step = new(net, _base.With(new RobustPerception { Start = 2 }), new Sgd(net.Parameters), seed: 7);
        long[] tracked = new long[3];
        for (int epoch = 1; epoch <= 3; epoch++)
        {
            step.Run(TestNets.Images(4, seed: 1), TestNets.ClassesOf(4), TestNets.Indices(4), epoch, rate: 0.01f);
            tracked[epoch - 1] = net.BatchNorms[0].BatchesTracked;
            Assert.Equal(epoch == 1 ? ["ce"] : ["ce", "rpat"], step.Loss.Terms.Single().Parts);
        }
        Assert.Equal([1L, 4, 7], tracked); // one forward a step before the term starts, three after
    }

    [Theory]
    [InlineData(0.5f, PerceptionForm.Residual)]
    [InlineData(0.3f, PerceptionForm.Residual)]
    [InlineData(0.5f, PerceptionForm.DifferenceQuotient)]
    public void The_term_is_zero_without_a_perturbation(float alpha, PerceptionForm form)
    {
        using var device = Device.Cpu(2);
        PgdAt still = new(_attack with { IsNoise = true, RandomStart = false });
        var (step, _) = OneStep(device, still.With(new RobustPerception { Alpha = alpha, Form = form }));
        Assert.InRange(step.Loss.Terms.Single().ReadPart(1), 0, 1e-12);
        Assert.True(step.Loss.Terms.Single().ReadPart(0) > 0.1);
    }

    [Fact]
    public void The_term_is_zero_on_a_linear_net()
    {
        using var device = Device.Cpu(1);
        // Eighths: products and sums are exact in float32, and so is x̃ in the middle.
        double[] weight = [.. Enumerable.Range(0, 30).Select(i => (i * 7 % 16 - 8) / 8.0)];
        LinearNet net = new(device, weight, [0.5, 0, -0.25]);
        Objective objective = new PgdAt(_attack with { Eps = 0.25f, StepSize = 0.125f, RandomStart = false }).With(new RobustPerception());
        TrainingStep step = new(net, objective, new Sgd(net.Parameters), seed: 1);
        step.Run([.. Enumerable.Repeat(0.5f, 20)], [0, 1], TestNets.Indices(2), epoch: 1, rate: 0.1f);
        Assert.Equal(0, step.Loss.Terms.Single().ReadPart(1));
    }

    [Fact]
    public void Both_forms_train_alike_when_their_weights_are_converted()
    {
        using var device = Device.Cpu(2);
        var code = TestNets.Train(device, _base.With(new RobustPerception { Weight = 1 }));
        var paper = TestNets.Train(device, _base.With(new RobustPerception { Weight = 1 / 16f, Form = PerceptionForm.DifferenceQuotient }));
        TestNets.SameBits(code.State, paper.State); // the factor 16 is a power of two
    }

    [Fact]
    public void The_unfused_sum_of_the_same_terms_trains_alike_up_to_rounding()
    {
        using var device = Device.Cpu(2);
        var fused = TestNets.Train(device, _base.With(new RobustPerception { Weight = 2 }), steps: 1);
        var sum = TestNets.Train(device, new SamePgdAt(_attack).With(new RobustPerception { Weight = 2 }), steps: 1);
        Assert.Equal(fused.Losses[0], sum.Losses[0], 1e-6);
        foreach (var (a, b) in fused.State.Zip(sum.State).Where(p => p.First.Type == ElementType.F32))
            Ops.LossProbe.AssertNear(Array.ConvertAll(a.ToFloats(), v => (double)v), b.ToFloats(), 1e-5);
    }

    [Fact]
    public void Clean_training_attacks_nothing_and_shows_the_clean_logits()
    {
        using var device = Device.Cpu(2);
        var (step, net) = OneStep(device, new Clean());
        Assert.Equal("ce", step.Loss.Terms.Single().Parts.Single());
        Assert.Equal(new Shape(4, 5), step.Logits.Shape);
        Assert.All(net.BatchNorms, n => Assert.Equal(1, n.BatchesTracked));
    }

    [Fact]
    public void Methods_tell_their_names()
    {
        Assert.Equal("clean", new Clean().Name);
        Assert.Equal("pgd-at", _base.Name);
        Assert.Equal("pgd-at+rpat", _base.With(new RobustPerception()).Name);
    }

    [Fact]
    public void Batches_of_several_sizes_train_in_turn()
    {
        using var device = Device.Cpu(2);
        PreActResNet net = TestNets.Small(device);
        TrainingStep step = new(net, _base.With(new RobustPerception()), new Sgd(net.Parameters), seed: 7);
        foreach (int n in new[] { 4, 7, 2, 4 })
        {
            step.Run(TestNets.Images(n, seed: n), TestNets.ClassesOf(n), TestNets.Indices(n), epoch: 1, rate: 0.05f);
            Assert.True(double.IsFinite(step.Loss.Read()));
            Assert.Equal(n, step.Logits.Shape.N);
        }
    }

    [Fact]
    public void Reading_before_the_first_step_is_refused()
    {
        using var device = Device.Cpu(1);
        PreActResNet net = TestNets.Small(device);
        TrainingStep step = new(net, _base, new Sgd(net.Parameters), seed: 1);
        Assert.Equal("No training step has run yet.", Assert.Throws<InvalidOperationException>(() => step.Loss).Message);
    }

    [Fact]
    public void Batches_that_do_not_fit_together_are_refused()
    {
        using var device = Device.Cpu(1);
        PreActResNet net = TestNets.Small(device);
        TrainingStep step = new(net, _base, new Sgd(net.Parameters), seed: 1);
        float[] images = TestNets.Images(4, seed: 1);
        Assert.Throws<ShapeException>(() => step.Run(images, TestNets.ClassesOf(3), TestNets.Indices(4), 1, 0.1f));
        Assert.Throws<ShapeException>(() => step.Run(images, TestNets.ClassesOf(4), TestNets.Indices(3), 1, 0.1f));
        Assert.Throws<ArgumentException>(() => step.Run(images, [0, 1, 2, 5], TestNets.Indices(4), 1, 0.1f));
    }

    private static (TrainingStep Step, PreActResNet Net) OneStep(Device device, Objective objective)
    {
        PreActResNet net = TestNets.Small(device);
        TrainingStep step = new(net, objective, new Sgd(net.Parameters), seed: 7);
        step.Run(TestNets.Images(4, seed: 2), TestNets.ClassesOf(4), TestNets.Indices(4), epoch: 1, rate: 0.1f);
        return (step, net);
    }

    /// <summary>PGD-AT under another type, which RPAT cannot fuse; it asks for x̃ and x in the fused order.</summary>
    private sealed record SamePgdAt(PgdOptions Pgd) : Objective
    {
        public override PgdOptions Attack => Pgd;
        public override Loss Loss(ViewLogits v) => v.Tape.CrossEntropy(v.Adversarial, v.Labels);
    }
}
