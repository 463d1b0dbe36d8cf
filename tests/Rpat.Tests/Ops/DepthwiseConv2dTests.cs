using Rpat.Tests.Reference;

namespace Rpat.Tests.Ops;

/// <summary>Depthwise convolutions between views, and with two readers.</summary>
public class DepthwiseConv2dTests
{
    private const Gradients Both = Gradients.Inputs | Gradients.Parameters;

    [Theory]
    [InlineData(BnMode.Eval, Gradients.Inputs, 1)]
    [InlineData(BnMode.Eval, Gradients.Inputs, 2)]
    [InlineData(BnMode.Eval, Both, 2)]
    [InlineData(BnMode.Train, Both, 1)]
    [InlineData(BnMode.Train, Both, 2)]
    public void AnInvertedResidualBlock(BnMode mode, Gradients gradients, int stride)
    {
        using OpGraph graph = new(gradients);
        ReferencePair x = graph.Activation(Array4.Uniform(2, 5, 6, 7, seed: 1));
        ReferencePair wide = graph.Conv2d(x, graph.Filters(Array4.Uniform(19, 5, 1, 1, seed: 2)));
        ReferencePair h = graph.BatchNorm2d(wide, graph.Norm(NormValues.Random(19, seed: 3)), mode, relu: true);
        ReferencePair deep = graph.DepthwiseConv2d(h, graph.Filters(Array4.Uniform(19, 1, 3, 3, seed: 4)), stride, 1);
        ReferencePair g = graph.BatchNorm2d(deep, graph.Norm(NormValues.Random(19, seed: 5)), mode, relu: true);
        graph.Check(graph.Conv2d(g, graph.Filters(Array4.Uniform(5, 19, 1, 1, seed: 6))), setup => OpGraph.Allowed(setup) with
        { MaxError = 5e-5, Nmse = 1e-9 });
    }

    [Fact]
    public void TwoReadersAddTheirGradients()
    {
        using OpGraph graph = new();
        ReferencePair x = graph.Activation(Array4.Uniform(2, 17, 6, 6, seed: 1)), w = graph.Filters(Array4.Uniform(17, 1, 3, 3, seed: 2));
        graph.Check(graph.Add(graph.DepthwiseConv2d(x, w, 1, 1), graph.DepthwiseConv2d(graph.Relu(x), w, 1, 1)));
    }

    [Fact]
    public void MisfitsNameTheOpAndTheShapes()
    {
        using DeviceRun lane = new(CpuSetup.Best, Gradients.None);
        Tensor x = lane.Activation(new Array4(2, 16, 5, 4)), image = lane.Image(new Array4(2, 16, 5, 4));
        Parameter w = lane.Filters(new Array4(16, 1, 3, 3)), dense = lane.Filters(new Array4(16, 16, 3, 3)),
            few = lane.Filters(new Array4(8, 1, 3, 3));
        OpErrors.Names("DepthwiseConv2d", () => lane.Tape.DepthwiseConv2d(x, dense), "[C, 1, R, R]", "[16, 16, 3, 3]");
        OpErrors.Names("DepthwiseConv2d", () => lane.Tape.DepthwiseConv2d(x, few), "16 channels", "8 filters");
        OpErrors.Names("DepthwiseConv2d", () => lane.Tape.DepthwiseConv2d(image, w), "activations");
        OpErrors.Names("DepthwiseConv2d", () => lane.Tape.DepthwiseConv2d(x, w, stride: 0), "stride 0");
        OpErrors.Names("DepthwiseConv2d", () => lane.Tape.DepthwiseConv2d(x, w, padding: 3), "padding 3");
        OpErrors.Names("DepthwiseConv2d", () => lane.Tape.DepthwiseConv2d(lane.Activation(new Array4(1, 16, 2, 5)), w), "[1, 16, 2, 5]",
            "3×3");
        Assert.Empty(lane.Tape.Nodes);
    }
}
