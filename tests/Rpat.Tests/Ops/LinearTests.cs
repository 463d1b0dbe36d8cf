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

    /// <summary>Weight and bias are written by other ops each by itself, and in every run anew.</summary>
    [Fact]
    public void AWeightOrABiasAloneInTwoPlacesAddsItsGradientsInEveryRun()
    {
        using Device device = Device.Cpu(1);
        var store = new ParameterStore(device);
        Parameter w1 = store.Declare("w1", new Shape(2, 3), 2, 3), w2 = store.Declare("w2", new Shape(2, 3), 2, 3),
            b1 = store.Declare("b1", new Shape(1, 2), 2), b2 = store.Declare("b2", new Shape(1, 2), 2);
        store.Allocate();
        Tensor x = Tensor.From(device, new Shape(2, 3), [1, 2, 3, 4, 5, 6]);
        var weight = new Tape(device, Gradients.Parameters);
        weight.Sum(weight.Linear(x, w1, b1));
        weight.Sum(weight.Linear(x, w1, b2));
        var bias = new Tape(device, Gradients.Parameters);
        bias.Sum(bias.Linear(x, w1, b1));
        bias.Sum(bias.Linear(x, w2, b1));
        for (int run = 0; run < 3; run++)
        {
            weight.Run();
            Assert.Equal([10, 14, 18, 10, 14, 18], w1.GradToArray());
            Assert.Equal([2, 2, 2, 2], [.. b1.GradToArray(), .. b2.GradToArray()]);
            bias.Run();
            Assert.Equal([5, 7, 9, 5, 7, 9, 5, 7, 9, 5, 7, 9], [.. w1.GradToArray(), .. w2.GradToArray()]);
            Assert.Equal([4, 4], b1.GradToArray());
        }
    }

    /// <summary>x may be the weight itself: both gradients are added to one.</summary>
    [Fact]
    public void AMatrixTimesItselfHasBothGradients()
    {
        using Device device = Device.Cpu(1);
        var store = new ParameterStore(device);
        Parameter w = store.Declare("w", new Shape(2, 3), 2, 3), f = store.Declare("f", new Shape(1, 1, 2, 2), 1, 1, 2, 2);
        store.Allocate();
        device.Upload(new float[] { 1, 2, 3, 4, 5, 6, 1, -2, 3, 5 }, store.Values);
        var gram = new Tape(device, Gradients.Parameters);
        gram.Sum(gram.Linear(w, w)); // Σ over i and j of w_i·w_j
        var filter = new Tape(device, Gradients.Parameters);
        filter.Sum(filter.Flatten(filter.ToPlain(filter.Conv2d((Tensor)f, f, padding: 1)))); // (Σ f)²
        for (int run = 0; run < 2; run++)
        {
            gram.Run();
            Assert.Equal([10, 14, 18, 10, 14, 18], w.GradToArray());
            filter.Run();
            Assert.Equal([14, 14, 14, 14], f.GradToArray());
        }
    }

    [Fact]
    public void AVectorIsNoMatrix()
    {
        using Device device = Device.Cpu(1);
        var store = new ParameterStore(device);
        Parameter scale = store.Declare("scale", new Shape(1, 4), 4);
        store.Allocate();
        Tensor x = Tensor.From(device, new Shape(3, 4), new float[12]);
        Assert.Throws<ShapeException>(() => new Tape(device).Linear(x, scale));
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
