using Rpat.Tests.Reference;

namespace Rpat.Tests.Ops;

/// <summary>Convolutions that need no gradient of their filters, and such as are refused.</summary>
public class Conv2dTests
{
    [Theory]
    [InlineData(3, 1, 1)]
    [InlineData(3, 2, 1)]
    [InlineData(1, 2, 0)]
    public void InputGradientsAlone(int kernel, int stride, int padding)
    {
        using OpGraph graph = new(Gradients.Inputs);
        ReferencePair x = graph.Activation(Array4.Uniform(2, 17, 7, 6, seed: 1)),
            w = graph.Filters(Array4.Uniform(33, 17, kernel, kernel, seed: 2));
        graph.Check(graph.Conv2d(x, w, stride, padding));
    }

    [Fact]
    public void MisfitsNameTheOpAndTheShapes()
    {
        using DeviceRun lane = new(CpuSetup.Best, Gradients.None);
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
}
