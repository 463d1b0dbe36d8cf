using Rpat.Engine;
using Rpat.Tests.Reference;

namespace Rpat.Tests.Ops;

/// <summary>Values and gradients of convolutions of every size, on both algorithms and all instruction sets.</summary>
public class Conv2dTests
{
    private const int Plain = 0, Blocked = 1;

    /// <summary>Layout, kernel, stride, padding: all of them that leave an output.</summary>
    public static TheoryData<int, int, int, int> Geometries
    {
        get
        {
            TheoryData<int, int, int, int> data = [];
            foreach (int layout in new[] { Plain, Blocked })
                foreach (int kernel in new[] { 1, 3, 5 })
                    foreach (int stride in new[] { 1, 2 })
                        foreach (int padding in new[] { 0, 1, 2 })
                            data.Add(layout, kernel, stride, padding);
            return data;
        }
    }

    /// <summary>Batch, channels, height, width, filters, kernel, stride, padding of activations.</summary>
    public static TheoryData<int, int, int, int, int, int, int, int> Activations => new()
    {
        { 1, 1, 4, 4, 1, 3, 1, 1 },
        { 5, 1, 7, 7, 3, 3, 1, 1 },
        { 2, 3, 9, 4, 16, 3, 1, 1 },
        { 2, 16, 5, 7, 17, 3, 1, 1 },
        { 1, 17, 7, 7, 48, 3, 1, 1 },
        { 5, 32, 4, 4, 32, 3, 1, 1 },
        { 2, 48, 7, 7, 64, 3, 1, 1 },
        { 1, 64, 8, 8, 80, 3, 1, 1 },
        { 2, 80, 5, 7, 48, 3, 2, 1 },
        { 1, 160, 5, 5, 64, 3, 1, 1 },
        { 1, 64, 5, 5, 160, 3, 1, 1 },
        { 1, 16, 3, 3, 16, 3, 1, 1 },
        { 2, 17, 1, 1, 33, 1, 1, 0 },
        { 5, 160, 1, 1, 80, 1, 1, 0 },
        { 2, 48, 7, 7, 96, 1, 2, 0 },
        { 2, 32, 8, 8, 17, 3, 2, 1 },
        { 1, 16, 1, 1, 16, 3, 1, 1 },
        { 13, 16, 9, 9, 16, 3, 1, 1 },
        { 13, 144, 11, 11, 33, 1, 2, 0 },
        { 9, 17, 22, 22, 19, 3, 2, 1 },
    };

    [Theory]
    [MemberData(nameof(Geometries))]
    public void EveryKernelStrideAndPaddingOnOddMaps(int layout, int kernel, int stride, int padding)
    {
        int c = layout == Plain ? 3 : 17;
        Check(layout, n: 2, c, h: 5, w: 8, k: 19, kernel, stride, padding, residual: false);
        if (4 + 2 * padding >= kernel) Check(layout, n: 1, c, h: 9, w: 4, k: 19, kernel, stride, padding, residual: true);
    }

    [Theory]
    [MemberData(nameof(Activations))]
    public void ActivationsOfManyWidths(int n, int c, int h, int w, int k, int kernel, int stride, int padding) =>
        Check(Blocked, n, c, h, w, k, kernel, stride, padding, residual: true);

    [Theory]
    [InlineData(1, 1, 28, 16, 3, 1)]
    [InlineData(5, 1, 28, 17, 3, 2)]
    [InlineData(2, 3, 32, 64, 3, 1)]
    [InlineData(2, 3, 16, 80, 5, 1)]
    [InlineData(1, 16, 9, 32, 3, 1)]
    [InlineData(1, 17, 9, 3, 3, 2)]
    [InlineData(1, 400, 5, 16, 1, 2)]
    public void ImagesInPlainOrder(int n, int c, int side, int k, int kernel, int stride) =>
        Check(Plain, n, c, side, side, k, kernel, stride, kernel / 2, residual: false);

    [Theory]
    [InlineData(Plain, 3, 3, 1, 1)]
    [InlineData(Blocked, 17, 3, 1, 1)]
    [InlineData(Blocked, 17, 3, 2, 1)]
    [InlineData(Blocked, 17, 1, 1, 0)]
    public void TwoThreadsGiveTheSameBitsWithEveryInstructionSet(int layout, int c, int kernel, int stride, int padding) =>
        Check(layout, 3, c, 11, 9, 33, kernel, stride, padding, residual: true, CpuSetup.All);

    [Theory]
    [InlineData(3, 1, 1)]
    [InlineData(3, 2, 1)]
    [InlineData(1, 2, 0)]
    public void InputGradientsAlone(int kernel, int stride, int padding)
    {
        using OpGraph graph = new(Gradients.Inputs);
        Twin x = graph.Activation(Array4.Uniform(2, 17, 7, 6, seed: 1)), w = graph.Filters(Array4.Uniform(33, 17, kernel, kernel, seed: 2));
        graph.Check(graph.Conv2d(x, w, stride, padding));
    }

    [Fact]
    public void MisfitsNameTheOpAndTheShapes()
    {
        using Lane lane = new(CpuSetup.Best, Gradients.None);
        Tensor x = lane.Activation(new Array4(2, 16, 5, 4)), image = lane.Image(new Array4(2, 8, 5, 4));
        Parameter three = lane.Filters(new Array4(8, 16, 3, 3)), seven = lane.Filters(new Array4(8, 16, 7, 7));
        var (matrix, _) = lane.Matrix(new Array4(8, 16, 1, 1), new double[8]);
        OpErrors.Names("Conv2d", () => lane.Tape.Conv2d(x, matrix), "[K, C, R, R]", "[8, 16]");
        OpErrors.Names("Conv2d", () => lane.Tape.Conv2d(image, three), "[2, 8, 5, 4]", "8 channels", "takes 16");
        OpErrors.Names("Conv2d", () => lane.Tape.Conv2d(x, three, stride: 0), "stride 0");
        OpErrors.Names("Conv2d", () => lane.Tape.Conv2d(x, three, padding: -1), "padding -1");
        OpErrors.Names("Conv2d", () => lane.Tape.Conv2d(x, seven, padding: 1), "[2, 16, 5, 4]", "7×7");
        OpErrors.Names("Conv2d", () => lane.Tape.Conv2d(x, three, 1, 1, residual: x), "[2, 16, 5, 4]", "[2, 8, 5, 4]");
        OpErrors.Names("Conv2d", () => lane.Tape.Conv2d(x, three, 1, 1, residual: image), "[2, 8, 5, 4]", "activations");
        Assert.Empty(lane.Tape.Nodes);
    }

    private static void Check(int layout, int n, int c, int h, int w, int k, int kernel, int stride, int padding, bool residual,
        IReadOnlyList<CpuSetup>? setups = null)
    {
        using OpGraph graph = new(setups: setups);
        Array4 x = Array4.Uniform(n, c, h, w, seed: 1);
        Twin input = layout == Plain ? graph.Image(x) : graph.Activation(x);
        Twin weight = graph.Filters(Array4.Uniform(k, c, kernel, kernel, seed: 2));
        Window window = new(stride, padding);
        Array4 other = Array4.Uniform(n, k, window.Outputs(h, kernel), window.Outputs(w, kernel), seed: 3);
        graph.Check(graph.Conv2d(input, weight, stride, padding, residual ? graph.Activation(other) : null));
    }
}
