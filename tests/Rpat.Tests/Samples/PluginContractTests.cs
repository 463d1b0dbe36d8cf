using Rpat.Models;
using Rpat.Robust.Modifiers;
using Rpat.Samples.Extensions;
using Rpat.Tests.Robust;

namespace Rpat.Tests.Samples;

/// <summary>Networks, methods and hooks that do not keep to what their base demands: one sentence with the class.</summary>
public sealed class PluginContractTests : IDisposable
{
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
        Refused(typeof(LosslessMethod), "(method 'LosslessMethod') returns no loss, or a modifier of it does: return a term of ViewLogits, "
            + "or a sum of several.", () => step.Run(TestNets.Images(2, seed: 1), [0, 1], [0, 1], epoch: 1, rate: 0.1f));
    }

    [Theory]
    [InlineData(null, "returns nothing from State: return an empty list.")]
    [InlineData("a,b,a", "returns an array 'a' from State, and there is one already: begin names with a word of its own.")]
    public void WhatAHookCannotSaveIsSaidBeforeTheFirstStep(string? names, string what)
    {
        var net = TestNets.Small(_device, width: 4);
        Refused(typeof(StatefulHook), what,
            () => new TrainingStep(net, new OwnMethod().With(new Stateful(names)), new Sgd(net.Parameters), seed: 1));
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
        public override IEnumerable<NamedArray> State() => names?.Split(',').Select(name => NamedArray.FromFloats(name, [1], [1]))!;
    }
}
