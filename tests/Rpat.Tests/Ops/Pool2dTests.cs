using Rpat.Tests.Reference;

namespace Rpat.Tests.Ops;

/// <summary>Pooling of stored tensors and of views.</summary>
public class Pool2dTests
{
    private const Gradients Both = Gradients.Inputs | Gradients.Parameters;

    [Theory]
    [InlineData(BnMode.Eval, Gradients.Inputs)]
    [InlineData(BnMode.Eval, Both)]
    [InlineData(BnMode.Train, Both)]
    public void MaximaAndMeansOfViews(BnMode mode, Gradients gradients)
    {
        using OpGraph graph = new(gradients, CpuSetup.Threading);
        ReferencePair x = graph.Activation(Array4.Uniform(2, 19, 6, 6, seed: 1));
        ReferencePair h = graph.BatchNorm2d(x, graph.Norm(NormValues.Random(19, seed: 2)), mode, relu: true);
        ReferencePair pooled = graph.MaxPool2d(h, 3, 2);
        graph.Check(graph.Lerp(graph.GlobalAveragePool(pooled), graph.GlobalAveragePool(h), 0.5f));
    }

    [Fact]
    public void TiesGoToTheFirstOfAWindow()
    {
        using OpGraph graph = new(setups: CpuSetup.Threading);
        ReferencePair x = graph.Activation(Array4.Uniform(2, 17, 8, 8, seed: 1).Map(v => Math.Round(2 * v)));
        graph.Check(graph.Add(graph.MaxPool2d(x, 2, 2), graph.MaxPool2d(x, 2, 2)));
    }

    /// <summary>Lanes behind the last channel hold zeros, which neither win against negative values nor leak into what follows.</summary>
    [Fact]
    public void NegativeValuesBesidePaddingChannels()
    {
        using OpGraph graph = new();
        ReferencePair x = graph.Activation(Array4.Uniform(2, 3, 6, 6, seed: 1, low: -2, high: -1)),
            w = graph.Filters(Array4.Uniform(5, 3, 3, 3, seed: 2));
        graph.Check(graph.Conv2d(graph.MaxPool2d(x, 2, 1), w, 1, 1));
    }

    [Fact]
    public void MeansReadTwice()
    {
        using OpGraph graph = new(setups: CpuSetup.Threading);
        ReferencePair x = graph.Activation(Array4.Uniform(2, 17, 5, 7, seed: 1));
        graph.Check(graph.Lerp(graph.GlobalAveragePool(x), graph.GlobalAveragePool(x), 0.25f));
    }

    [Fact]
    public void AWindowWithANaNHasANaNMaximum()
    {
        Array4 x = Array4.Uniform(1, 3, 4, 4, seed: 1);
        x[0, 2, 1, 1] = x[0, 2, 2, 2] = double.NaN;
        using DeviceRun lane = new(CpuSetup.Best, Gradients.Inputs);
        Tensor input = lane.Activation(x);
        Array4 y = lane.Run(lane.Tape.MaxPool2d(input, 2, 2), new Array4(1, 3, 2, 2).Map(_ => 1));
        Assert.Equal([true, false, false, true], Enumerable.Range(0, 4).Select(i => double.IsNaN(y[0, 2, i / 2, i % 2])));
        Assert.Equal(2, y.Data.Count(double.IsNaN));
        Assert.Equal((1, 1), (DeviceRun.Gradient(input)[0, 2, 1, 1], DeviceRun.Gradient(input)[0, 2, 2, 2]));
    }

    [Fact]
    public void MisfitsNameTheOpAndTheShapes()
    {
        using DeviceRun lane = new(CpuSetup.Best, Gradients.None);
        Tensor x = lane.Activation(new Array4(2, 16, 5, 4)), image = lane.Image(new Array4(2, 16, 5, 4));
        OpErrors.Names("MaxPool2d", () => lane.Tape.MaxPool2d(x, 5, 1), "window 5", "[2, 16, 5, 4]");
        OpErrors.Names("MaxPool2d", () => lane.Tape.MaxPool2d(x, 2, 0), "stride 0");
        OpErrors.Names("MaxPool2d", () => lane.Tape.MaxPool2d(image, 2, 2), "activations");
        OpErrors.Names("GlobalAveragePool", () => lane.Tape.GlobalAveragePool(image), "[2, 16, 5, 4]", "activations");
    }
}
