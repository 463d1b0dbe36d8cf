using Rpat.Tests.Reference;

namespace Rpat.Tests.Ops;

/// <summary>Two batches as one, and apart again.</summary>
public class StackTests
{
    [Theory]
    [InlineData(2, 5)]
    [InlineData(20, 28)]
    public void ValuesAndGradients(int n, int size)
    {
        using OpGraph graph = new(setups: CpuSetup.Threading);
        ReferencePair a = graph.Image(Array4.Uniform(n, 3, size, size, seed: 1)),
            b = graph.Image(Array4.Uniform(n, 3, size, size, seed: 2));
        graph.Check(graph.StackedLerp(graph.StackedLerp(a, b, 0.25f), a, 0.75f));
    }

    [Fact]
    public void TheFirstSamplesComeFirst()
    {
        Array4 a = Array4.Uniform(2, 1, 3, 3, seed: 1), b = Array4.Uniform(2, 1, 3, 3, seed: 2);
        using DeviceRun lane = new(CpuSetup.Best, Gradients.None);
        Array4 both = lane.Run(lane.Tape.Stack(lane.Image(a), lane.Image(b)), new Array4(4, 1, 3, 3));
        Assert.Equal([.. a.Data, .. b.Data], both.Data);
    }

    [Fact]
    public void MisfitsNameTheOpAndTheShapes()
    {
        using DeviceRun lane = new(CpuSetup.Best, Gradients.None);
        Tensor x = lane.Image(new Array4(3, 3, 5, 4)), other = lane.Image(new Array4(3, 3, 4, 5)),
            blocked = lane.Activation(new Array4(3, 3, 5, 4));
        OpErrors.Names("Stack", () => lane.Tape.Stack(x, other), "[3, 3, 5, 4]", "[3, 3, 4, 5]");
        OpErrors.Names("Stack", () => lane.Tape.Stack(x, blocked), "plain");
        OpErrors.Names("Halves", () => lane.Tape.Halves(x), "[3, 3, 5, 4]");
    }
}
