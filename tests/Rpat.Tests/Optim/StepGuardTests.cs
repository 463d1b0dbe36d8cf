using Rpat.Tests.Robust;

namespace Rpat.Tests.Optim;

/// <summary>Steps that would train nothing, freezing between steps, and numbers that are none.</summary>
public sealed class StepGuardTests : IDisposable
{
    private static readonly Dictionary<string, Action<ParameterStore>> _wrong = new()
    {
        ["momentum 1"] = store => new Sgd(store, momentum: 1),
        ["momentum -0.1"] = store => new Sgd(store, momentum: -0.1f),
        ["momentum NaN"] = store => new Sgd(store, momentum: float.NaN),
        ["decay -1"] = store => new Sgd(store, weightDecay: -1),
        ["decay infinity"] = store => new Sgd(store, weightDecay: float.PositiveInfinity),
        ["nesterov without momentum"] = store => new Sgd(store, momentum: 0, nesterov: true),
        ["beta1 1"] = store => new Adam(store, beta1: 1),
        ["beta2 2"] = store => new Adam(store, beta2: 2),
        ["epsilon NaN"] = store => new Adam(store, epsilon: float.NaN),
        ["adam's decay -1"] = store => new Adam(store, weightDecay: -1),
        ["clip -1"] = store => new Sgd(store) { ClipNorm = -1 },
        ["clip NaN"] = store => new Sgd(store) { ClipNorm = -float.NaN },
        ["accumulate 0"] = store => new Sgd(store) { Accumulate = 0 },
        ["rate factor -1"] = store => new Sgd(store) { Groups = [new(_ => true) { RateFactor = -1 }] },
        ["a group's decay NaN"] = store => new Sgd(store) { Groups = [new(_ => true) { WeightDecay = float.NaN }] },
        ["a group of none"] = store => new Sgd(store) { Groups = [new(p => p.Name == "nobody")] },
        ["rate NaN"] = store => new Sgd(store).Step(float.NaN),
        ["rate -1"] = store => new Sgd(store).Step(-1),
        ["rate infinity"] = store => new Sgd(store).Step(float.PositiveInfinity),
    };

    private readonly Device _device = Device.Cpu(1);
    private readonly Network _net;
    private readonly Parameter _first, _last;

    public StepGuardTests()
    {
        _net = Net();
        (_first, _last) = (_net.Parameters.Parameters[0], _net.Parameters.Parameters[^1]);
    }

    public static TheoryData<string> Wrong => [.. _wrong.Keys];

    public void Dispose() => _device.Dispose();

    [Theory]
    [MemberData(nameof(Wrong))]
    public void ANumberThatIsNoneIsRefused(string what) => Assert.ThrowsAny<ArgumentException>(() => _wrong[what](_net.Parameters));

    [Fact]
    public void AStepNeedsANewGradientOfItsOwnNetwork()
    {
        var sgd = new Sgd(_net.Parameters);
        void Refused() => Assert.Contains("no new gradient", Assert.Throws<InvalidOperationException>(() => sgd.Step(0.1f)).Message);
        Refused();
        Tape tape = Recorded(_net), other = Recorded(Net());
        tape.Forward();
        Refused();
        other.Run();
        Refused();
        tape.Run();
        Assert.True(sgd.Step(0.1f));
        Refused();
        tape.Forward();
        tape.Backward();
        Assert.True(sgd.Step(0.1f));
    }

    [Fact]
    public void FreezingTakesEffectAtTheNextStepAndANewTape()
    {
        var sgd = new Sgd(_net.Parameters, momentum: 0.9f);
        Tape tape = Recorded(_net);
        Step(tape, sgd);
        _first.IsFrozen = true;
        Assert.Contains("was frozen after", Assert.Throws<InvalidOperationException>(tape.Run).Message);
        float[] kept = _first.ToArray(), moved = _last.ToArray();
        tape = Recorded(_net);
        Step(tape, sgd);
        Step(tape, sgd);
        Assert.Equal(kept, _first.ToArray());
        Assert.NotEqual(moved, _last.ToArray());

        _first.IsFrozen = false;
        Assert.Contains("was unfrozen after", Assert.Throws<InvalidOperationException>(tape.Run).Message);
        Step(Recorded(_net), sgd);
        // without momentum from the time before
        Assert.Equal(kept.Zip(_first.GradToArray(), (w, g) => w - 0.1f * g), _first.ToArray(), (a, b) => Math.Abs(a - b) < 1e-6);
    }

    [Fact]
    public void AStaleGradientOfAFrozenParameterIsNotClipped()
    {
        var sgd = new Sgd(_net.Parameters, momentum: 0) { ClipNorm = 1e-3f };
        Step(Recorded(_net), sgd);
        foreach (Parameter p in _net.Parameters.Parameters) p.IsFrozen = p != _last;
        float[] before = _last.ToArray();
        Step(Recorded(_net), sgd);
        Assert.Equal(1e-4, Math.Sqrt(before.Zip(_last.ToArray(), (a, b) => Math.Pow(a - b, 2)).Sum()), 1e-6);
    }

    [Fact]
    public void ANetworkThatIsAllFrozenIsNotTrained()
    {
        foreach (Parameter p in _net.Parameters.Parameters) p.IsFrozen = true;
        Assert.Contains("wants a gradient", Assert.Throws<InvalidOperationException>(Recorded(_net).Run).Message);
        Assert.Throws<InvalidOperationException>(() => new Sgd(_net.Parameters).Step(0.1f));
    }

    [Fact]
    public void AnOptimizerIsMadeWhenAllParametersAre()
    {
        var store = new ParameterStore(_device);
        store.Declare("a", new Shape(1, 4), 4);
        foreach (Action make in (Action[])[() => new Sgd(store), () => new Adam(store)])
            Assert.Contains("not allocated yet", Assert.Throws<InvalidOperationException>(make).Message);
    }

    /// <summary>What was gathered of a batch before it was frozen must not become its momentum.</summary>
    [Fact]
    public void AFrozenParameterBeginsWithoutMomentumAlsoBetweenGatheredBatches()
    {
        var sgd = new Sgd(_net.Parameters) { Accumulate = 2 };
        Tape tape = Recorded(_net);
        Step(tape, sgd);
        _first.IsFrozen = true;
        float[] before = _first.ToArray();
        Step(Recorded(_net), sgd);
        Assert.Equal(before, _first.ToArray());
        Assert.All(sgd.State().Single(array => array.Name == "sgd." + _first.Name).ToFloats(), value => Assert.Equal(0, value));
    }

    [Fact]
    public void AnAverageIsOfTwoNetworksOfAKind()
    {
        using var there = Device.Cpu(1);
        Assert.Throws<ArgumentException>(() => new Ema(_net, TestNets.Small(there)));
        Assert.Throws<ArgumentException>(() => new Ema(_net, _net));
        Network Plain(Layer layer) => new(_device, new Shape(1, 4), 4, layer);
        Assert.Throws<ArgumentException>(() => new Ema(Plain(new Sequential(new Linear(4, 2, bias: false), new Linear(2, 4, bias: false))),
            Plain(new Linear(4, 4, bias: false)))); // 16 values each
        var ema = new Ema(_net, Net());
        foreach (float decay in new[] { -0.1f, 1.1f, float.NaN })
            Assert.Throws<ArgumentOutOfRangeException>(() => ema.Update(decay));
    }

    private static void Step(Tape tape, Optimizer optimizer)
    {
        tape.Run();
        optimizer.Step(0.1f);
    }

    private Network Net() => new(_device, new Shape(1, 1, 2, 2), 2,
        new Sequential(Pool.Flatten(), new Linear(4, 3), Activation.Tanh, new Linear(3, 2)), seed: 1);

    private Tape Recorded(Network net)
    {
        var tape = new Tape(_device, Gradients.Parameters);
        Tensor x = Tensor.From(_device, net.InputShape.WithBatch(2), [0, 0.2f, 0.4f, 0.6f, 0.8f, 1, 0.5f, 0.1f]);
        tape.CrossEntropy(net.Forward(tape, x, BnMode.Train), Labels.From(_device, [0, 1]));
        return tape;
    }
}
