using Rpat.Tests.Reference;

namespace Rpat.Tests.Ops;

/// <summary>Input normalisation: a view of plain images that the first convolution reads.</summary>
public class NormalizeTests
{
    private static readonly float[] _mean = [0.4914f, 0.4822f, 0.4465f];
    private static readonly float[] _deviation = [0.2471f, 0.2435f, 0.2616f];

    [Theory]
    [InlineData(Gradients.Inputs)]
    [InlineData(Gradients.Inputs | Gradients.Parameters)]
    public void ReadByTheFirstConvolution(Gradients gradients)
    {
        foreach (var (kernel, stride) in new[] { (3, 1), (3, 2), (5, 1), (1, 1) })
        {
            using OpGraph graph = new(gradients);
            ReferencePair x = graph.Image(Array4.Uniform(2, 3, 9, 8, seed: 1, low: 0)),
                w = graph.Filters(Array4.Uniform(17, 3, kernel, kernel, seed: 2));
            graph.Check(graph.Conv2d(graph.Normalize(x, _mean, _deviation), w, stride, kernel / 2));
        }
    }

    [Fact]
    public void GrayImages()
    {
        using OpGraph graph = new();
        ReferencePair x = graph.Image(Array4.Uniform(2, 1, 28, 28, seed: 1, low: 0)),
            w = graph.Filters(Array4.Uniform(16, 1, 3, 3, seed: 2));
        graph.Check(graph.Conv2d(graph.Normalize(x, [0.286f], [0.353f]), w, 1, 1));
    }

    [Fact]
    public void Activations()
    {
        using OpGraph graph = new();
        ReferencePair x = graph.Activation(Array4.Uniform(2, 3, 6, 5, seed: 1, low: 0)),
            w = graph.Filters(Array4.Uniform(16, 3, 3, 3, seed: 2));
        graph.Check(graph.Conv2d(graph.Normalize(x, _mean, _deviation), w, 1, 1));
    }

    [Fact]
    public void MisfitsNameTheOpAndTheShapes()
    {
        using DeviceRun lane = new(CpuSetup.Best, Gradients.None);
        Tensor gray = lane.Image(new Array4(2, 1, 5, 4)), color = lane.Image(new Array4(2, 3, 5, 4));
        Normalize layer = new(lane.Device, _mean, _deviation);
        OpErrors.Names("Normalize", () => lane.Tape.Normalize(gray, layer), "[2, 1, 5, 4]", "1 channels", "3");
        OpErrors.Names("Normalize", () => lane.Tape.Normalize(lane.Tape.Normalize(color, layer), layer), "[2, 3, 5, 4]", "stored");
        OpErrors.Names("Normalize", () => new Normalize(lane.Device, [0, 0], [1]), "deviation");
        OpErrors.Names("Normalize", () => new Normalize(lane.Device, [0], [0]), "positive");
        OpErrors.Names("Normalize", () => new Normalize(lane.Device, [1.5f], [1]), "at most 1", "divide by 255");
        OpErrors.Names("Normalize", () => new Normalize(lane.Device, [0], [58]), "at most 1", "divide by 255");
        Assert.Equal([1], new Normalize(lane.Device, [-1], [1]).Std);
    }
}
