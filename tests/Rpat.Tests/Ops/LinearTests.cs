using Rpat.Tests.Reference;

namespace Rpat.Tests.Ops;

/// <summary>Fully connected layers.</summary>
public class LinearTests
{
    [Fact]
    public void OneInputAndOneWeightUsedTwice()
    {
        using OpGraph graph = new(setups: CpuSetup.Threading);
        ReferencePair x = graph.Activation(Array4.Uniform(3, 17, 4, 4, seed: 1)), pooled = graph.GlobalAveragePool(x);
        ReferencePair once = graph.Linear(pooled, Array4.Uniform(17, 17, 1, 1, seed: 2), Array4.Uniform(1, 17, 1, 1, seed: 3).Data);
        ReferencePair other = graph.Linear(once, Array4.Uniform(17, 17, 1, 1, seed: 4), new double[17]);
        graph.Check(graph.Lerp(graph.Lerp(once, other, 0.5f), pooled, 0.25f));
    }

    [Fact]
    public void OneLayerInTwoPlacesAddsItsGradients()
    {
        using OpGraph graph = new(setups: CpuSetup.Threading);
        ReferencePair x = graph.Image(Array4.Uniform(3, 17, 1, 1, seed: 1));
        var (w, bias) = graph.Matrix(Array4.Uniform(17, 17, 1, 1, seed: 2), Array4.Uniform(1, 17, 1, 1, seed: 3).Data);
        graph.Check(graph.Linear(graph.Linear(x, w, bias), w, bias));
    }

    [Fact]
    public void MisfitsNameTheOpAndTheShapes()
    {
        using DeviceRun lane = new(CpuSetup.Best, Gradients.None);
        Tensor x = lane.Image(new Array4(2, 16, 1, 1)), map = lane.Image(new Array4(2, 16, 2, 1)),
            blocked = lane.Activation(new Array4(2, 16, 1, 1));
        var (w, bias) = lane.Matrix(new Array4(10, 16, 1, 1), new double[10]);
        var (wide, other) = lane.Matrix(new Array4(9, 17, 1, 1), new double[9]);
        OpErrors.Names("Linear", () => lane.Tape.Linear(map, w, bias), "[2, 16, 2, 1]", "[N, C]");
        OpErrors.Names("Linear", () => lane.Tape.Linear(blocked, w, bias), "[2, 16]", "[N, C]");
        OpErrors.Names("Linear", () => lane.Tape.Linear(x, wide, other), "[2, 16]", "[9, 17]");
        OpErrors.Names("Linear", () => lane.Tape.Linear(x, w, other), "9 values", "10 rows");
    }
}
