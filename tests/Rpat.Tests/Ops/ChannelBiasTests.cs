using Rpat.Tests.Reference;

namespace Rpat.Tests.Ops;

/// <summary>The bias of a convolution.</summary>
public class ChannelBiasTests
{
    private const Gradients Both = Gradients.Inputs | Gradients.Parameters;

    [Fact]
    public void OneBiasAddedTwice()
    {
        using OpGraph graph = new(setups: CpuSetup.Threading);
        ReferencePair x = graph.Activation(Array4.Uniform(3, 17, 5, 7, seed: 1)),
            bias = graph.Bias(Array4.Uniform(1, 17, 1, 1, seed: 2).Data);
        graph.Check(graph.ChannelBias(graph.ChannelBias(x, bias), bias));
    }

    /// <summary>Eval mode: batch statistics would take the bias away again, and its gradient would be nothing but rounding.</summary>
    [Theory]
    [InlineData(Gradients.Inputs)]
    [InlineData(Both)]
    public void BetweenAConvolutionAndItsNorm(Gradients gradients)
    {
        using OpGraph graph = new(gradients);
        ReferencePair x = graph.Activation(Array4.Uniform(2, 5, 6, 7, seed: 1));
        ReferencePair h = graph.Conv2d(x, graph.Filters(Array4.Uniform(19, 5, 3, 3, seed: 2)), 1, 1);
        ReferencePair shifted = graph.ChannelBias(h, graph.Bias(Array4.Uniform(1, 19, 1, 1, seed: 3).Data));
        graph.Check(graph.MaxPool2d(graph.BatchNorm2d(shifted, graph.Norm(NormValues.Random(19, seed: 4)), BnMode.Eval, relu: true), 2, 2));
    }

    [Theory]
    [InlineData(BnMode.Eval, Gradients.Inputs)]
    [InlineData(BnMode.Train, Both)]
    public void OfAView(BnMode mode, Gradients gradients)
    {
        using OpGraph graph = new(gradients);
        ReferencePair x = graph.Activation(Array4.Uniform(2, 19, 6, 7, seed: 1));
        ReferencePair h = graph.BatchNorm2d(x, graph.Norm(NormValues.Random(19, seed: 4)), mode, relu: true);
        graph.Check(graph.ChannelBias(h, graph.Bias(Array4.Uniform(1, 19, 1, 1, seed: 5).Data)));
    }

    [Fact]
    public void MisfitsNameTheOpAndTheShapes()
    {
        using DeviceRun lane = new(CpuSetup.Best, Gradients.None);
        var bias = lane.Bias(new double[16]);
        OpErrors.Names("ChannelBias", () => lane.Tape.ChannelBias(lane.Activation(new Array4(2, 17, 5, 4)), bias), "17 channels",
            "16 values");
        OpErrors.Names("ChannelBias", () => lane.Tape.ChannelBias(lane.Image(new Array4(2, 16, 5, 4)), bias), "activations");
        Assert.Empty(lane.Tape.Nodes);
    }
}
