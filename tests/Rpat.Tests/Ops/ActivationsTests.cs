using Rpat.Tests.Reference;

namespace Rpat.Tests.Ops;

/// <summary>Plain values on their way to activations.</summary>
public class ActivationsTests
{
    [Fact]
    public void GradientsOfTwoReaders()
    {
        using OpGraph graph = new(setups: CpuSetup.Threading);
        ReferencePair x = graph.Image(Array4.Uniform(2, 3, 5, 7, seed: 1));
        graph.Check(graph.Add(graph.ToActivations(x), graph.ToActivations(x)));
    }

    [Theory]
    [InlineData(BnMode.Train)]
    [InlineData(BnMode.Eval)]
    public void ABatchNormOfFeatures(BnMode mode)
    {
        using OpGraph graph = new();
        ReferencePair features = graph.Image(Array4.Uniform(6, 19, 1, 1, seed: 1));
        ReferencePair h = graph.BatchNorm2d(graph.ToActivations(features), graph.Norm(NormValues.Random(19, seed: 4)), mode, relu: true);
        graph.Check(graph.Linear(graph.GlobalAveragePool(h), Array4.Uniform(5, 19, 1, 1, seed: 5),
            Array4.Uniform(1, 5, 1, 1, seed: 6).Data));
    }

    [Fact]
    public void ActivationsAreRefused()
    {
        using DeviceRun lane = new(CpuSetup.Best, Gradients.None);
        Tensor x = lane.Activation(new Array4(2, 16, 5, 4));
        OpErrors.Names("ToActivations", () => lane.Tape.ToActivations(x), "[2, 16, 5, 4]", "plain");
    }
}
