using Rpat.Robust.Losses;
using Rpat.Samples.Extensions;

namespace Rpat.Tests.Nn;

/// <summary>The gradient check that users have: it accepts right gradients and finds wrong ones.</summary>
public sealed class GradientCheckTests : IDisposable
{
    private readonly Device _device = Device.Cpu(1);

    public void Dispose() => _device.Dispose();

    [Fact]
    public void OwnOpsOfBothLayoutsPass()
    {
        Tensor x = Input(new Shape(2, 3, 4, 5), seed: 1), y = Input(new Shape(2, 3, 4, 5), seed: 2);
        GradientCheck.Of(tape => tape.Swish(x, 1.7), x).Require();
        GradientCheck.Of(tape => tape.Swish(tape.ToActivations(x)), x).Require();
        GradientCheck.Of(tape => tape.RobustDifference(x, y), x, y).Require();
        GradientCheck.Of(tape => tape.Mean(tape.Mean(x, y), x), x, y).Require();
    }

    [Fact]
    public void OwnLossesAndParametersPass()
    {
        Tensor z = Input(new Shape(4, 5), seed: 3), t = Input(new Shape(4, 5), seed: 4);
        GradientCheck.Of(tape => tape.RowLoss("difference", new SquaredDifference(), z, new() { Second = t }), z, t).Require();
        GradientCheck.Of(tape => tape.RowLoss("ce", new SoftCrossEntropy(), z, new() { Second = tape.Softmax(t) }), z, t).Require();
        GradientCheck.Of(tape => tape.RowLoss("kd", new KlDivergence(0.5f, 4, true), z, new() { Second = t }), z, t).Require();
        Labels labels = Labels.From(_device, [0, 4, 2, 1]);
        GradientCheck.Of(tape => tape.RowLoss("own", new OneVsRest(), z, new() { Labels = labels }), z).Require();
        var net = new Network(_device, new Shape(1, 2, 4, 4), 3, new Sequential(new Conv2d(2, 4, 3, padding: 1), new ChannelScale(4),
            Activation.Silu, Pool.GlobalAverage(), new Linear(4, 3)), seed: 1);
        Tensor images = Input(new Shape(2, 2, 4, 4), seed: 5);
        GradientCheck.Of(tape => net.Forward(tape, images, BnMode.Eval), [images, .. net.Parameters.Parameters]).Require();
    }

    [Fact]
    public void AWrongGradientIsFound()
    {
        Tensor x = Input(new Shape(2, 3), seed: 1);
        var check = GradientCheck.Of(tape => tape.Elementwise(new Wrong(), x), x);
        Assert.InRange(check.Error, 0.4, 0.6);
        var error = Assert.Throws<InvalidOperationException>(() => check.Require());
        Assert.Matches(@"^the gradient of input \[2, 3\] at \[\d\] is \S+ where differences give \S+: error [45]\.\dE-01 of the largest "
            + @"entry, allowed 1\.0E-03\.$", error.Message);
        Assert.Throws<ArgumentException>(() => GradientCheck.Of(tape => x));
        Tensor constant = Tensor.From(_device, new Shape(1, 2), [1, 2]);
        Assert.Equal("GradientCheck: input [1, 2] wants no gradient: make it with needsGrad, or leave it out.",
            Assert.Throws<ArgumentException>(() => GradientCheck.Of(tape => tape.Sum(x), x, constant)).Message);
    }

    [Fact]
    public void AnInputThatTheValueDoesNotDependOnIsNamed()
    {
        Tensor x = Input(new Shape(2, 3), seed: 1), other = Input(new Shape(2, 3), seed: 2);
        Tensor plain = Tensor.From(_device, new Shape(2, 3), new float[6]);
        foreach (var (inputs, why) in new[]
            { ([plain], "wants no gradient"), ([x, plain], "wants no gradient"), (new[] { x, other }, "depends on all of them") })
            Assert.Contains(why, Assert.Throws<ArgumentException>(() => GradientCheck.Of(tape => tape.Mean(x), inputs)).Message);
    }

    [Fact]
    public void AParameterThatNoOpTakesOrThatIsFrozenIsNamed()
    {
        Tensor x = Input(new Shape(2, 3, 2, 2), seed: 1);
        Network Make() => new(_device, new Shape(1, 3, 2, 2), 2, new Sequential(new Conv2d(3, 4, 1), Pool.GlobalAverage(),
            new Linear(4, 2)), seed: 1);
        var (net, bias) = (Make(), Make().Parameters.Parameters[^1]);
        Assert.Contains($"no op takes {bias}", Assert.Throws<ArgumentException>(
            () => GradientCheck.Of(tape => net.Forward(tape, x, BnMode.Eval), x, bias)).Message);
        net.Parameters.Parameters[^1].IsFrozen = true;
        Assert.Contains("2.bias [1, 2] is frozen", Assert.Throws<ArgumentException>(
            () => GradientCheck.Of(tape => net.Forward(tape, x, BnMode.Eval), net.Parameters.Parameters)).Message);
    }

    [Fact]
    public void WhatAnOpThrowsIsNotTakenForAMissingGradient()
    {
        Tensor x = Input(new Shape(2, 3), seed: 1);
        Assert.Equal("boom", Assert.Throws<InvalidOperationException>(
            () => GradientCheck.Of(tape => tape.Record(new Failing(tape, x, [])).Outputs[0], x)).Message);
        Assert.StartsWith("Failing: Inputs, Outputs or Saved is null: give a list", Assert.Throws<InvalidOperationException>(
            () => GradientCheck.Of(tape => tape.Record(new Failing(tape, x, null!)).Outputs[0], x)).Message);
        foreach (var (record, why) in new (Func<Tape, Tensor>, string)[]
            { (tape => null!, "returned null: return the tensor"), (tape => tape.Detach(x), "depends on all of them (no gradient") })
            Assert.Contains(why, Assert.Throws<ArgumentException>(() => GradientCheck.Of(record, x)).Message);
        Assert.Throws<ArgumentNullException>(() => GradientCheck.Of(tape => tape.RowLoss(null!, new OneVsRest(), x, new()), x));
    }

    [Fact]
    public void ALossWithoutItsSecondRowsReadsTheFirstAgain()
    {
        Tensor z = Input(new Shape(4, 5), seed: 3);
        var tape = new Tape(_device);
        var loss = tape.RowLoss("difference", new SquaredDifference(), z, new());
        tape.Forward();
        Assert.Equal(0, loss.Read());
    }

    private Tensor Input(Shape shape, int seed)
    {
        var values = new float[shape.Count];
        new RandomKey((ulong)seed, Purpose.Synthetic, 0, 0, 0, 0).Stream().FillUniform(values);
        return Tensor.From(_device, shape, [.. values.Select(v => 2 * v - 1)], needsGrad: true);
    }

    private sealed class Failing(Tape tape, Tensor x, IEnumerable<Tensor> saved) : Node
    {
        public override string Op => "Failing";
        public override IReadOnlyList<Edge> Inputs { get; } = [tape.AddStoredInput(x)];
        public override IReadOnlyList<Tensor> Outputs { get; } = [tape.NewTensor(x.Shape, x.Layout, "y")];
        public override IEnumerable<Tensor> Saved { get; } = saved;

        public override void Forward(IKernels k) => throw new InvalidOperationException("boom");

        public override void Backward(IKernels k)
        {
        }
    }

    /// <summary>x³, with half of its derivative.</summary>
    private readonly struct Wrong : IElementwise
    {
        public T Value<T>(T x) where T : struct, IReal<T> => x * x * x;

        public T Derivative<T>(T x) where T : struct, IReal<T> => 1.5 * x * x;
    }
}
