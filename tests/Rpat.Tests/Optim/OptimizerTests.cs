using Rpat.Tests.Golden;
using Rpat.Tests.Support;

namespace Rpat.Tests.Optim;

/// <summary>Adam, AdamW, groups of parameters, frozen parameters and what a resumed run needs of them.</summary>
public sealed class OptimizerTests : IDisposable
{
    private static readonly GoldenArrays _golden = new("ops.npz");

    private static readonly Dictionary<string, Func<ParameterStore, IReadOnlyList<ParameterGroup>, Optimizer>> _made = new()
    {
        ["adam"] = (store, groups) => new Adam(store, epsilon: 1e-4f, weightDecay: 0.1f) { Groups = groups },
        ["adamw"] = (store, groups) => new Adam(store, 0.8f, 0.95f, weightDecay: 0.1f, decoupled: true) { Groups = groups },
        ["sgd"] = (store, groups) => new Sgd(store, 0.9f, 0.1f, nesterov: true) { Groups = groups },
    };

    private readonly Device _device = Device.Cpu(2);
    private readonly ParameterStore _store;
    private readonly Parameter _first, _second;

    public OptimizerTests()
    {
        _store = new ParameterStore(_device);
        (_first, _second) = (_store.Declare("a", new Shape(1, 5), 5), _store.Declare("b", new Shape(1, 3), 3));
        _store.Allocate();
    }

    public static TheoryData<string> Names => [.. _made.Keys];

    public void Dispose() => _device.Dispose();

    /// <summary>Three steps of torch.optim with two groups, the second at a tenth of the rate and without weight decay.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void StepsAreThoseOfPyTorch(string name)
    {
        Load(name);
        var optimizer = Make(name);
        for (int step = 0; step < 3; step++)
        {
            Step(optimizer, name, step);
            foreach (var (parameter, i) in new[] { (_first, 0), (_second, 1) })
                Assert.Equal(_golden.Doubles($"{name}/w{i}/{step}"), parameter.ToArray().Select(v => (double)v),
                    (want, have) => Math.Abs(want - have) < 1e-6);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void AResumedRunGoesTheSameWay(string name)
    {
        Load(name);
        var optimizer = Make(name);
        Step(optimizer, name, 0);
        float[] weights = Values();
        var state = optimizer.State().ToDictionary(array => array.Name);
        Step(optimizer, name, 1);
        float[] expected = Values();
        _device.Upload(weights, _store.Values);
        var resumed = Make(name);
        resumed.LoadState(state);
        Step(resumed, name, 1);
        Bits.Equal(expected, Values());
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void AFrozenParameterDoesNotMove(string name)
    {
        Load(name);
        _second.IsFrozen = true;
        Step(_made[name](_store, []), name, 0);
        Assert.Equal(_golden.Floats($"{name}/w1"), _second.ToArray());
        Assert.DoesNotContain(_first.ToArray(), _golden.Floats($"{name}/w0").Contains);
    }

    /// <summary>Two tapes take turns, each with the loss of a head: the other head's gradient is 0, as after PyTorch's zero_grad.</summary>
    [Fact]
    public void AParameterThatTheLastLossDoesNotDependOnHasTheGradientZero()
    {
        const double rate = 0.1, momentum = 0.5, decay = 0.2;
        _first.Upload([1, 2, 3, 4, 5]);
        _store.BumpGradientVersion();
        Sgd plain = new(_store, momentum: 0), heavy = new(_store, (float)momentum, (float)decay);
        Tape first = LossOf(_first), second = LossOf(_second);
        first.Run();
        second.Run();
        Assert.Equal([[0, 0, 0, 0, 0], [1, 1, 1]], new[] { _first.GradToArray(), _second.GradToArray() });
        plain.Step((float)rate);
        Assert.Equal([1f, 2, 3, 4, 5], _first.ToArray());
        first.Run();
        heavy.Step((float)rate);
        second.Run();
        heavy.Step((float)rate);
        for (int i = 0; i < 5; i++)
        {
            double w = i + 1, v = 1 + decay * w;
            w -= rate * v;
            v = momentum * v + decay * w;
            Assert.Equal(w - rate * v, _first.ToArray()[i], 1e-6);
        }

        Tape LossOf(Parameter parameter)
        {
            Tape tape = new(_device, Gradients.Parameters);
            tape.Sum(parameter);
            return tape;
        }
    }

    [Fact]
    public void StatesOfOtherOptimizersAreRefused()
    {
        var adam = new Adam(_store);
        var error = Assert.Throws<CheckpointException>(() => adam.LoadState(new Sgd(_store).State().ToDictionary(array => array.Name)));
        Assert.StartsWith("The training state has no 'adam.mean.", error.Message, StringComparison.Ordinal);
        Assert.Throws<CheckpointException>(() => new Sgd(_store).LoadState(adam.State().ToDictionary(array => array.Name)));
        NamedArray[] before = [.. adam.State()];
        var half = before.Select(array => array.Type == ElementType.F32 ? NamedArray.FromFloats(array.Name,
            [.. Enumerable.Repeat(1f, (int)array.Count)], array.Shape) : array).ToDictionary(array => array.Name);
        half.Remove(before.First(array => array.Name.StartsWith("adam.square.", StringComparison.Ordinal)).Name);
        Assert.Throws<CheckpointException>(() => adam.LoadState(half));
        Robust.TestNets.SameBits(before, [.. adam.State()]);
    }

    private Optimizer Make(string name) =>
        _made[name](_store, [new ParameterGroup(p => p.Name == "b") { RateFactor = 0.1f, WeightDecay = 0 }]);

    private void Load(string name)
    {
        _first.Upload(_golden.Floats($"{name}/w0"));
        _second.Upload(_golden.Floats($"{name}/w1"));
    }

    private void Step(Optimizer optimizer, string name, int step)
    {
        _device.Upload([.. _golden.Floats($"{name}/g0/{step}"), .. _golden.Floats($"{name}/g1/{step}")], _store.Gradients);
        _store.BumpGradientVersion();
        optimizer.Step(0.05f);
    }

    private float[] Values()
    {
        var values = new float[_store.Count];
        _device.Download(_store.Values, values);
        return values;
    }
}
