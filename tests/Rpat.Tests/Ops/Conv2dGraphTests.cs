using Rpat.Tests.Reference;

namespace Rpat.Tests.Ops;

/// <summary>Convolutions that read views, share weights, inputs and residuals: where gradients meet and memory is shared.</summary>
public class Conv2dGraphTests
{
    private const Gradients Both = Gradients.Inputs | Gradients.Parameters;

    private static readonly Array4 _x = Array4.Uniform(2, 17, 6, 5, seed: 1);

    [Theory]
    [InlineData(BnMode.Eval, Gradients.Inputs, 3, 1)]
    [InlineData(BnMode.Eval, Gradients.Inputs, 3, 2)]
    [InlineData(BnMode.Eval, Gradients.Inputs, 1, 2)]
    [InlineData(BnMode.Eval, Both, 3, 1)]
    [InlineData(BnMode.Eval, Gradients.Parameters, 3, 2)]
    [InlineData(BnMode.Train, Both, 3, 1)]
    [InlineData(BnMode.Train, Gradients.Inputs, 3, 2)]
    [InlineData(BnMode.TrainFrozen, Both, 1, 1)]
    [InlineData(BnMode.Train, Gradients.Parameters, 3, 1)]
    public void ReadingABatchNormWithRelu(BnMode mode, Gradients gradients, int kernel, int stride)
    {
        using OpGraph graph = new(gradients);
        ReferencePair h = graph.BatchNorm2d(graph.Activation(_x), graph.Norm(NormValues.Random(17, seed: 2)), mode, relu: true);
        graph.Check(graph.Conv2d(h, Filters(graph, 33, 17, kernel), stride, kernel / 2));
    }

    [Fact]
    public void OneTensorReadByTwoConvolutions()
    {
        using OpGraph graph = new();
        ReferencePair x = graph.Activation(_x), made = graph.Conv2d(x, Filters(graph, 16, 17, 3), 1, 1);
        ReferencePair a = graph.Conv2d(made, Filters(graph, 17, 16, 3, 4), 1, 1), b = graph.Conv2d(made, Filters(graph, 17, 16, 1, 5));
        graph.Check(graph.Add(graph.Add(a, b), x));
    }

    [Fact]
    public void OneImageReadByTwoConvolutions()
    {
        using OpGraph graph = new();
        ReferencePair x = graph.Image(Array4.Uniform(3, 3, 8, 8, seed: 1, low: 0)),
            norm = graph.Normalize(x, [0.4f, 0.5f, 0.6f], [0.2f, 0.3f, 0.25f]);
        graph.Check(graph.Add(graph.Conv2d(norm, Filters(graph, 16, 3, 3), 1, 1), graph.Conv2d(x, Filters(graph, 16, 3, 1))));
    }

    [Theory]
    [InlineData(BnMode.Eval, Gradients.Inputs, 1)]
    [InlineData(BnMode.Eval, Gradients.Inputs, 2)]
    [InlineData(BnMode.Train, Both, 1)]
    [InlineData(BnMode.Train, Both, 2)]
    public void OneViewReadByAConvolutionAndItsShortcut(BnMode mode, Gradients gradients, int stride)
    {
        using OpGraph graph = new(gradients);
        ReferencePair h = graph.BatchNorm2d(graph.Activation(_x), graph.Norm(NormValues.Random(17, seed: 2)), mode, relu: true);
        ReferencePair shortcut = graph.Conv2d(h, Filters(graph, 33, 17, 1, 4), stride);
        graph.Check(graph.Conv2d(h, Filters(graph, 33, 17, 3), stride, 1, residual: shortcut));
    }

    [Theory]
    [InlineData(3, 1, 1)]
    [InlineData(3, 2, 1)]
    [InlineData(3, 1, 2)]
    [InlineData(1, 1, 2)]
    public void OneWeightUsedTwice(int kernel, int stride1, int stride2)
    {
        using OpGraph graph = new();
        ReferencePair w = Filters(graph, 17, 17, kernel), h = graph.Conv2d(graph.Activation(_x), w, stride1, kernel / 2);
        graph.Check(graph.Conv2d(h, w, stride2, kernel / 2), Deep);
    }

    [Theory]
    [InlineData(BnMode.Eval, Gradients.Inputs)]
    [InlineData(BnMode.Eval, Both)]
    [InlineData(BnMode.Train, Both)]
    public void PreActivationBlockWhoseResidualIsTheNormsInput(BnMode mode, Gradients gradients)
    {
        using OpGraph graph = new(gradients);
        ReferencePair made = graph.Conv2d(graph.Activation(_x), Filters(graph, 16, 17, 3), 1, 1);
        ReferencePair h = graph.BatchNorm2d(made, graph.Norm(NormValues.Random(16, seed: 2)), mode, relu: true);
        graph.Check(graph.Conv2d(h, Filters(graph, 16, 16, 3, 5), 1, 1, residual: made), Deep);
    }

    [Fact]
    public void ResidualThatIsTheInputItself()
    {
        using OpGraph graph = new();
        ReferencePair made = graph.Conv2d(graph.Activation(_x), Filters(graph, 16, 17, 3), 1, 1);
        graph.Check(graph.Conv2d(made, Filters(graph, 16, 16, 3, 5), 1, 1, residual: made), Deep);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ResidualThatIsReadBeforeAndBehind(bool behind)
    {
        using OpGraph graph = new();
        ReferencePair r = graph.Conv2d(graph.Activation(_x), Filters(graph, 16, 17, 3), 1, 1);
        ReferencePair before = graph.Conv2d(r, Filters(graph, 16, 16, 3, 4), 1, 1);
        ReferencePair y = graph.Conv2d(before, Filters(graph, 16, 16, 1, 5), residual: r);
        if (behind) y = graph.Add(graph.Conv2d(r, Filters(graph, 16, 16, 3, 6), 1, 1), y);
        graph.Check(y, Deep);
    }

    [Fact]
    public void OneResidualOfTwoConvolutions()
    {
        using OpGraph graph = new();
        ReferencePair r = graph.Conv2d(graph.Activation(_x), Filters(graph, 16, 17, 3), 1, 1);
        ReferencePair a = graph.Conv2d(r, Filters(graph, 16, 16, 1, 4), residual: r),
            b = graph.Conv2d(a, Filters(graph, 16, 16, 3, 5), 1, 1, residual: r);
        graph.Check(b, Deep);
    }

    [Theory]
    [InlineData(BnMode.Eval, Gradients.Inputs)]
    [InlineData(BnMode.Train, Both)]
    public void ResidualThatIsAViewIsStored(BnMode mode, Gradients gradients)
    {
        using OpGraph graph = new(gradients);
        ReferencePair h = graph.BatchNorm2d(graph.Activation(_x), graph.Norm(NormValues.Random(17, seed: 2)), mode, relu: true);
        graph.Check(graph.Conv2d(h, Filters(graph, 17, 17, 3), 1, 1, residual: h));
    }

    /// <summary>Random graphs of every kind of edge, so that the plan meets orders that nobody thought of.</summary>
    [Theory]
    [InlineData(Gradients.Inputs)]
    [InlineData(Gradients.Parameters)]
    [InlineData(Both)]
    public void RandomGraphs(Gradients gradients)
    {
        for (int seed = 0; seed < 12; seed++)
        {
            using OpGraph graph = new(gradients, [CpuSetup.Best, CpuSetup.Best with { Convolution = ConvolutionAlgorithm.Direct }]);
            graph.Check(Grow(graph, new System.Random(seed)), Deep);
        }
    }

    private static ReferencePair Grow(OpGraph graph, System.Random random)
    {
        ReferencePair Leaf(int seed) => graph.Activation(Array4.Uniform(2, 17, 5, 5, seed));
        List<ReferencePair> made = [Leaf(1), Leaf(2)];
        ReferencePair w = Filters(graph, 17, 17, 3);
        for (int step = 0; step < 8; step++)
        {
            ReferencePair Any() => made[random.Next(Math.Max(0, made.Count - 4), made.Count)];
            made.Add(random.Next(6) switch
            {
                0 => graph.Conv2d(Any(), w, 1, 1),
                1 => graph.Conv2d(Any(), Filters(graph, 17, 17, 1, step), 1, 0, Any()),
                2 => graph.Conv2d(Any(), Filters(graph, 17, 17, 3, step), 1, 1, Any()),
                3 => graph.BatchNorm2d(Any(), graph.Norm(NormValues.Random(17, step)), (BnMode)random.Next(3), random.Next(2) == 0),
                4 => graph.Add(Any(), Any(), random.Next(2) == 0),
                _ => graph.Relu(Any()),
            });
        }

        return made.Skip(made.Count - 3).Aggregate((a, b) => graph.Add(a, b));
    }

    // Rounding of one layer is input error of the next: a chain of a few layers may lose a few times what one may.
    private static Tolerance Deep(CpuSetup setup) => OpGraph.Allowed(setup) with { MaxError = 3e-5 };

    private static ReferencePair Filters(OpGraph graph, int k, int c, int kernel, int seed = 3)
    {
        double bound = Math.Sqrt(3.0 / (c * kernel * kernel)); // keeps the size of activations from layer to layer
        return graph.Filters(Array4.Uniform(k, c, kernel, kernel, seed, -bound, bound));
    }
}
