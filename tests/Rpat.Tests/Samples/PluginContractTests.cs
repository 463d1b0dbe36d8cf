using Rpat.Models;
using Rpat.Robust.Methods;
using Rpat.Robust.Modifiers;
using Rpat.Robust.Ops;
using Rpat.Samples.Extensions;
using Rpat.Tests.Robust;

namespace Rpat.Tests.Samples;

/// <summary>Networks, methods and hooks that do not keep to what their base demands: one sentence with the class.</summary>
public sealed class PluginContractTests : IDisposable
{
    private static readonly PgdOptions _pgd = PgdOptions.Linf with { Steps = 1 };

    private readonly Device _device = Device.Cpu(1);

    public void Dispose() => _device.Dispose();

    [Fact]
    public void AClassOfAPluginIsNamedWithIt()
    {
        Catalog.Register(typeof(SwishNet).Assembly);
        Assert.Equal(new ErrorReport("plugin Rpat.Samples.Extensions: Rpat.Samples.Extensions.SwishNet does nothing.", ExitCode.Usage),
            ErrorReport.Of(new ContractException(typeof(SwishNet), "does nothing.")));
    }

    [Theory]
    [InlineData(false, true, "has no last layer: call DeclareHead in the constructor, before Build.")]
    [InlineData(true, false, "returns no tensor from RecordFeatures: return features [N, F].")]
    public void ANetworkWithoutItsPartsIsNamed(bool head, bool features, string what)
    {
        var net = new PartialNet(_device, head, features);
        Refused(typeof(PartialNet), what, () => net.Predict(new float[net.InputShape.SampleCount]));
    }

    [Fact]
    public void AMethodWithoutALossIsNamed()
    {
        var net = TestNets.Small(_device, width: 4);
        var step = new TrainingStep(net, new LosslessMethod(), new Sgd(net.Parameters), seed: 1);
        Refused(typeof(LosslessMethod), "returns no loss: return a term of ViewLogits, or a sum of several.",
            () => step.Run(TestNets.Images(2, seed: 1), [0, 1], [0, 1], epoch: 1, rate: 0.1f));
    }

    [Theory]
    [InlineData(null, "returns nothing from State: return an empty list.")]
    [InlineData("a,b,a", "returns an array 'a' from State, and there is one already: begin names with a word of its own.")]
    [InlineData("a,,b", "returns an array without a name from State: name each.")]
    [InlineData("a,null", "returns null among its arrays from State: name each.")]
    public void WhatAHookCannotSaveIsSaidBeforeTheFirstStep(string? names, string what)
    {
        var net = TestNets.Small(_device, width: 4);
        Refused(typeof(StatefulHook), what,
            () => new TrainingStep(net, new OwnMethod().With(new Stateful(names)), new Sgd(net.Parameters), seed: 1));
    }

    public static TheoryData<Modifier, string> NullModifiers => new()
    {
        { new NullExtend(IsItself: true), "returns no loss: return a term of ViewLogits, or a sum of several." },
        { new NullExtend(IsItself: false), "returns no loss: return a term of ViewLogits, or a sum of several." },
        { new NullOn(), "returns null from On: return the method with it." },
        { new NullTeachers(), "has null as Teachers: give an empty one for none." },
    };

    [Theory]
    [MemberData(nameof(NullModifiers))]
    public void AModifierThatReturnsNullIsNamed(Modifier modifier, string what) =>
        Refused(modifier.GetType(), what, () => Step(new PgdAt(_pgd).With(modifier)));

    public static TheoryData<Objective, string> NullMethods => new()
    {
        { new NullEpoch(), "returns null from InEpoch: return a method, such as this." },
        { new Unattacked(), "has no Attack, and its loss, or a modifier's, uses x': give it one, or use v.Clean." },
        { new NullLists(Own: null!, Names: []), "has null as OwnModifiers: give an empty one for none." },
        { new NullLists(Own: [], Names: null!), "has null as Teachers: give an empty one for none." },
    };

    [Theory]
    [MemberData(nameof(NullMethods))]
    public void AMethodThatReturnsNullIsNamed(Objective method, string what) => Refused(method.GetType(), what, () => Step(method));

    [Fact]
    public void AnAttackWithoutALossIsNamed() => Refused(typeof(NullInner),
        "returns no loss from Record: return a term, summed over the batch.", () => Step(new OwnNumbers(_pgd with { Loss = new NullInner() }, "weights", 1)));

    /// <summary>A loss that is NaN or negative because of a rule is no divergence.</summary>
    [Theory]
    [InlineData("weights", 0.5f, null)]
    [InlineData("weights", 0f, null)]
    [InlineData("weights", float.NaN, "gives NaN as number 1 of the sample weights: give each a finite number of at least 0.")]
    [InlineData("weights", -1f, "gives -1 as number 1 of the sample weights: give each a finite number of at least 0.")]
    [InlineData("weights", float.PositiveInfinity,
        "gives Infinity as number 1 of the sample weights: give each a finite number of at least 0.")]
    [InlineData("unset", 0f, "gives NaN as number 1 of the sample weights: give each a finite number of at least 0.")]
    [InlineData("modifiers", -1f, "gives -1 as number 1 of the sample weights: give each a finite number of at least 0.")]
    [InlineData("given", -1f, null)]
    [InlineData("given", float.NaN, "gives NaN as number 1 of v.Given: give each a finite number.")]
    [InlineData("targets", 0.5f, null)]
    [InlineData("targets", -1f, "gives -1 as number 1 of the targets: give each a finite number of at least 0.")]
    [InlineData("targets", float.NaN, "gives NaN as number 1 of the targets: give each a finite number of at least 0.")]
    public void ARulesNumbersAreChecked(string where, float number, string? what)
    {
        Objective method = where switch
        {
            "modifiers" => new PgdAt(_pgd).With(new OtherWeights(), new OwnWeights(number)),
            "targets" => new OwnTargets(_pgd, number).With(new EmaAveraging()),
            _ => new OwnNumbers(_pgd, where, number),
        };
        Type type = where switch { "modifiers" => typeof(OwnWeights), "targets" => typeof(OwnRule), _ => typeof(OwnNumbers) };
        if (what is null) Step(method);
        else Refused(type, what, () => Step(method));
    }

    [Fact]
    public void ARuleIsNotBlamedForANetworkThatHasDiverged()
    {
        var weights = new float[1];
        RowRule.Weigh((_, _, w) => w[0] = float.NaN, [float.NaN, 1], [0], weights);
        Assert.True(float.IsNaN(weights[0]));
    }

    private void Step(Objective method)
    {
        var net = TestNets.Small(_device, width: 4);
        var twin = new AuxiliaryModels { Twin = () => TestNets.Small(_device, width: 4) };
        new TrainingStep(net, method, new Sgd(net.Parameters), seed: 1, twin)
            .Run(TestNets.Images(2, seed: 1), [0, 1], [0, 1], epoch: 1, rate: 0.1f);
    }

    private static void Refused(Type type, string what, Action action) =>
        Assert.Equal($"{type} {what}", Assert.Throws<ContractException>(action).Message);

    private sealed class PartialNet : FeatureClassifier
    {
        private readonly bool _features;

        public PartialNet(Device device, bool head, bool features) : base(device, new Shape(1, 3, 4, 4), 2, null)
        {
            _features = features;
            if (head) DeclareHead("linear", 3);
            Build(seed: 1);
        }

        protected override Tensor RecordFeatures(Tape tape, Tensor x, BnMode bn) =>
            _features ? tape.GlobalAveragePool(tape.ToActivations(x)) : null!;
    }

    private sealed record LosslessMethod : OwnMethod
    {
        public override Loss Loss(ViewLogits v) => null!;
    }

    private sealed record Stateful(string? Names) : Modifier
    {
        public override StepHook Begin(ModifiedRun run) => new StatefulHook(Names);
    }

    private sealed class StatefulHook(string? names) : StepHook
    {
        public override IEnumerable<NamedArray> State() =>
            names?.Split(',').Select(name => name == "null" ? null! : NamedArray.FromFloats(name, [1], [1]))!;
    }

    public sealed record NullExtend(bool IsItself) : Modifier
    {
        public override Func<ViewLogits, Loss> Extend(Objective method, Func<ViewLogits, Loss> loss) => IsItself ? null! : _ => null!;
    }

    public sealed record NullOn : Modifier
    {
        public override Objective On(Objective method) => null!;
    }

    public sealed record NullTeachers : Modifier
    {
        public override IReadOnlyList<string> Teachers => null!;
    }

    public sealed record NullEpoch : OwnMethod
    {
        public override Objective InEpoch(int epoch) => null!;
    }

    public sealed record Unattacked : OwnMethod
    {
        public override Loss Loss(ViewLogits v) => v.CrossEntropy(v.Adversarial);
    }

    public sealed record NullLists(IReadOnlyList<Modifier> Own, IReadOnlyList<string> Names) : OwnMethod
    {
        protected internal override IReadOnlyList<Modifier> OwnModifiers => Own;

        public override IReadOnlyList<string> Teachers => Names;
    }

    private sealed record NullInner : InnerLoss
    {
        public override string Name => "null";

        public override Loss Record(InnerViews views) => null!;
    }

    private sealed record OtherWeights : Modifier
    {
        public override SampleWeighting Weighting => (_, _, weights) => weights.Fill(1);
    }

    private sealed record OwnWeights(float Number) : Modifier
    {
        public override SampleWeighting Weighting => (_, _, weights) => (weights[0], weights[1]) = (1, Number);
    }

    private sealed record OwnNumbers(PgdOptions Pgd, string Where, float Number) : Objective
    {
        public override PgdOptions Attack => Pgd;

        public override Loss Loss(ViewLogits v) => Where == "given"
            ? v.CrossEntropy(v.At(v.Given(1, (_, numbers) => (numbers[0], numbers[1]) = (1, Number))))
            : v.CrossEntropy(v.Adversarial, v.Weights(v.Adversarial, Weigh));

        private void Weigh(ReadOnlySpan<float> logits, ReadOnlySpan<int> labels, Span<float> weights)
        {
            weights[0] = 1;
            if (Where != "unset") weights[1] = Number;
        }
    }

    private sealed record OwnTargets(PgdOptions Pgd, float Number) : Objective
    {
        public override PgdOptions Attack => Pgd;

        public override TargetRule Target => new OwnRule(Number);

        public override Loss Loss(ViewLogits v) => v.CrossEntropy(v.Adversarial);
    }

    private sealed record OwnRule(float Number) : TargetRule
    {
        public override void Fill(ReadOnlySpan<float> glance, ReadOnlySpan<int> labels, in StepContext moment, Span<float> targets)
        {
            targets.Fill(0.5f);
            targets[1] = Number;
        }
    }
}
