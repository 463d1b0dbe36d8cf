using Rpat.Tests.Reference;

namespace Rpat.Tests.Ops;

/// <summary>Additions and ReLU of stored tensors and of views.</summary>
public class PointwiseTests
{
    private const Gradients Both = Gradients.Inputs | Gradients.Parameters;

    private static readonly Array4 _a = Array4.Uniform(3, 17, 5, 7, seed: 1);
    private static readonly Array4 _b = Array4.Uniform(3, 17, 5, 7, seed: 2);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Sums(bool relu)
    {
        using OpGraph graph = new(setups: CpuSetup.Threading);
        graph.Check(graph.Add(graph.Activation(_a), graph.Activation(_b), relu));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void SumOfATensorWithItself(bool relu)
    {
        using OpGraph graph = new(setups: CpuSetup.Threading);
        ReferencePair x = graph.Activation(_a), made = graph.Relu(x);
        graph.Check(graph.Add(graph.Add(made, made, relu), graph.Add(x, x, relu)));
    }

    [Theory]
    [InlineData(BnMode.Eval, Gradients.Inputs, false)]
    [InlineData(BnMode.Eval, Gradients.Inputs, true)]
    [InlineData(BnMode.Eval, Both, true)]
    [InlineData(BnMode.Train, Both, false)]
    [InlineData(BnMode.Train, Both, true)]
    public void SumsOfViews(BnMode mode, Gradients gradients, bool relu)
    {
        using OpGraph graph = new(gradients, CpuSetup.Threading);
        ReferencePair a = graph.Activation(_a), h = graph.BatchNorm2d(a, graph.Norm(NormValues.Random(17, seed: 3)), mode, relu: true);
        ReferencePair g = graph.BatchNorm2d(graph.Activation(_b), graph.Norm(NormValues.Random(17, seed: 8)), mode);
        graph.Check(graph.Add(graph.Add(h, g, relu), graph.Add(a, h)));
    }

    [Theory]
    [InlineData(BnMode.Eval, Gradients.Inputs)]
    [InlineData(BnMode.Train, Both)]
    public void ReluOfTensorsAndViews(BnMode mode, Gradients gradients)
    {
        using OpGraph graph = new(gradients, CpuSetup.Threading);
        ReferencePair h = graph.BatchNorm2d(graph.Activation(_a), graph.Norm(NormValues.Random(17, seed: 3)), mode);
        graph.Check(graph.Add(graph.Relu(h), graph.Relu(graph.Activation(_b))));
    }

    [Fact]
    public void ReluOfPlainTensors()
    {
        using OpGraph graph = new(setups: CpuSetup.Threading);
        ReferencePair x = graph.Image(Array4.Uniform(2, 3, 5, 7, seed: 1)), norm = graph.Normalize(x, [0.1f, 0.2f, 0], [0.5f, 0.8f, 1]);
        graph.Check(graph.Lerp(graph.Relu(norm), graph.Relu(x), 0.25f));
    }

    [Fact]
    public void ReluHasNoSlopeAtZero()
    {
        using OpGraph graph = new(setups: CpuSetup.Threading);
        graph.Check(graph.Relu(graph.Activation(Array4.From(1, 3, 1, 2, 0, -0.0, 1e-30, -1e-30, 1, -1))));
    }

    [Fact]
    public void NaNStaysNaNThroughEveryRelu()
    {
        Array4 x = Array4.Uniform(1, 3, 6, 6, seed: 1);
        x[0, 1, 2, 3] = double.NaN;
        AssertNaN(x, (lane, t) => lane.Tape.Relu(t));
        AssertNaN(x, (lane, t) => lane.Tape.Add(t, t, relu: true));
        foreach (BnMode mode in Enum.GetValues<BnMode>())
        {
            Tensor View(DeviceRun lane, Tensor t) => lane.Tape.BatchNorm2d(t, lane.Norm(NormValues.Random(3, seed: 2)), mode, relu: true);
            AssertNaN(x, View);
            AssertNaN(x, (lane, t) => lane.Tape.MaxPool2d(View(lane, t), 2, 2));
            AssertNaN(x, (lane, t) => lane.Tape.GlobalAveragePool(View(lane, t)));
            foreach (int kernel in new[] { 1, 3 })
                AssertNaN(x, (lane, t) =>
                    lane.Tape.Conv2d(View(lane, t), lane.Filters(Array4.Uniform(5, 3, kernel, kernel, seed: 3)), 1, kernel / 2));
        }

        using DeviceRun plain = new(CpuSetup.Best, Gradients.None);
        Assert.Equal(1, plain.Run(plain.Tape.Relu(plain.Image(x)), x.Like()).Data.Count(double.IsNaN));
    }

    [Theory]
    [InlineData(3, 4, 3, 4)]
    [InlineData(3, 4, 1, 4)]
    [InlineData(3, 4, 3, 1)]
    public void RowsAreAddedWithOneUsingToo(int n, int c, int rows, int columns)
    {
        Array4 a = Array4.Uniform(n, c, 1, 1, seed: 1), b = Array4.Uniform(rows, columns, 1, 1, seed: 2);
        using DeviceRun lane = new(CpuSetup.Best, Gradients.None);
        Tensor sum = Rpat.Engine.Ops.PointwiseOp.Add(lane.Tape, lane.Image(a), lane.Image(b), relu: true);
        Array4 result = lane.Run(sum, a.Like());
        for (int i = 0; i < n; i++)
            for (int k = 0; k < c; k++)
                Assert.Equal(Math.Max(0, a[i, k, 0, 0] + b[Math.Min(i, rows - 1), Math.Min(k, columns - 1), 0, 0]),
                    result[i, k, 0, 0], 1e-6);
    }

    [Fact]
    public void MisfitsNameTheOpAndTheShapes()
    {
        using DeviceRun lane = new(CpuSetup.Best, Gradients.None);
        Tensor x = lane.Activation(new Array4(2, 16, 5, 4)), other = lane.Activation(new Array4(2, 16, 4, 5)),
            image = lane.Image(new Array4(2, 16, 5, 4));
        OpErrors.Names("Add", () => lane.Tape.Add(x, other), "[2, 16, 5, 4]", "[2, 16, 4, 5]");
        OpErrors.Names("Add", () => lane.Tape.Add(x, image), "layout");
    }

    // A NaN must be seen, and only in what depends on it: convolutions spread it over all filters.
    private static void AssertNaN(Array4 x, Func<DeviceRun, Tensor, Tensor> record)
    {
        foreach (CpuSetup setup in CpuSetup.Most.Where(s => s.Threads == 1))
        {
            using DeviceRun lane = new(setup, Gradients.None);
            Tensor y = record(lane, lane.Activation(x));
            Array4 result = lane.Run(y, new Array4(y.Shape.N, y.Shape.C, y.Shape.H, y.Shape.W));
            Assert.Contains(result.Data, double.IsNaN);
            Assert.True(double.IsNaN(result[0, 1, 2 * result.H / x.H, 3 * result.W / x.W]), $"{y}, {setup}");
        }
    }
}
