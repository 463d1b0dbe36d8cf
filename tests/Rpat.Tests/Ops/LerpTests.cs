using Rpat.Tests.Reference;

namespace Rpat.Tests.Ops;

/// <summary>Interpolation of plain tensors.</summary>
public class LerpTests
{
    [Fact]
    public void ViewsAreStoredAndOneTensorMayBeBothEnds()
    {
        using OpGraph graph = new(setups: CpuSetup.Threading);
        ReferencePair x = graph.Image(Array4.Uniform(2, 3, 5, 7, seed: 1, low: 0)),
            norm = graph.Normalize(x, [0.4f, 0.5f, 0.6f], [0.2f, 0.3f, 0.25f]);
        graph.Check(graph.Lerp(graph.Lerp(norm, x, 0.25f), graph.Lerp(x, x, 0.5f), 0.75f));
    }

    [Fact]
    public void TheStartIsExact()
    {
        Array4 a = Array4.Uniform(1, 1, 4, 4, seed: 1), b = Array4.Uniform(1, 1, 4, 4, seed: 2);
        using DeviceRun lane = new(CpuSetup.Best, Gradients.None);
        Assert.Equal(a.Data, lane.Run(lane.Tape.Lerp(lane.Image(a), lane.Image(b), 0), a.Like()).Data);
    }

    [Fact]
    public void MisfitsNameTheOpAndTheShapes()
    {
        using DeviceRun lane = new(CpuSetup.Best, Gradients.None);
        Tensor x = lane.Image(new Array4(2, 3, 5, 4)), other = lane.Image(new Array4(2, 3, 4, 5)),
            blocked = lane.Activation(new Array4(2, 3, 5, 4));
        OpErrors.Names("Lerp", () => lane.Tape.Lerp(x, other, 0.5f), "[2, 3, 5, 4]", "[2, 3, 4, 5]");
        OpErrors.Names("Lerp", () => lane.Tape.Lerp(x, blocked, 0.5f), "plain");
    }
}
