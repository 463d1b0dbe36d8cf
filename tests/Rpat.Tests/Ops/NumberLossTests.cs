namespace Rpat.Tests.Ops;

/// <summary>Losses of any values, and what a loss of rows refuses.</summary>
public sealed class NumberLossTests : IDisposable
{
    private readonly Device _device = Device.Cpu(1);
    private readonly Labels _labels;

    public NumberLossTests() => _labels = Labels.From(_device, [0, 1]);

    public void Dispose() => _device.Dispose();

    [Theory]
    [InlineData(1, 1, 3)]
    [InlineData(2, 3, 1)]
    public void SumMeanAndSquaredErrorAreThoseOfPyTorch(int h, int w, int c)
    {
        Shape shape = new(2, c, h, w);
        float[] x = [.. Enumerable.Range(0, (int)shape.Count).Select(i => i * 0.5f)], t = Array.ConvertAll(x, v => 1 - v);
        int n = x.Length;
        Check((tape, a, _) => tape.Sum(a), x.Sum(), _ => 1);
        Check((tape, a, _) => tape.Mean(a), x.Average(), _ => 1.0 / n);
        Check((tape, a, _) => tape.Mean(tape.ToActivations(a)), x.Average(), _ => 1.0 / n);
        Check((tape, a, b) => tape.MeanSquaredError(a, b), x.Average(v => (2 * v - 1) * (2 * v - 1)), v => 2 * (2 * v - 1) / n);

        void Check(Func<Tape, Tensor, Tensor, Loss> record, double value, Func<float, double> gradient)
        {
            var tape = new Tape(_device, Gradients.Inputs);
            Tensor a = Tensor.From(_device, shape, x, needsGrad: true);
            Loss loss = record(tape, a, Tensor.From(_device, shape, t));
            tape.Run();
            Assert.Equal(value, loss.Read(), 1e-5);
            Assert.Equal(x.Select(gradient), a.GradToArray().Select(g => (double)g), (p, q) => Math.Abs(p - q) < 1e-6);
        }
    }

    [Fact]
    public void ALossOfRowsTakesRowsOfItsDevice()
    {
        var tape = new Tape(_device);
        Tensor rows = Tensor.Create(_device, new Shape(2, 3));
        Tensor map = Tensor.Create(_device, new Shape(2, 3, 4, 4));
        OpErrors.Names("CrossEntropy", () => tape.CrossEntropy(map, _labels), "is a map, not rows");
        OpErrors.Names("CrossEntropy", () => tape.CrossEntropy(tape.ToActivations(rows), _labels), "tape.Flatten(tape.ToPlain(x))");
        OpErrors.Names("KlDivergence", () => tape.KlDivergence(tape.ToActivations(rows), rows), "differ in layout");
        OpErrors.Names("MeanSquaredError", () => tape.MeanSquaredError(rows, Tensor.Create(_device, new Shape(3, 2))), "differ in size");
        using var there = Device.Cpu(1);
        OpErrors.Names("CrossEntropy", () => tape.CrossEntropy(rows, Labels.From(there, [0, 1])), "on another device");
        Assert.Throws<InvalidOperationException>(
            () => tape.KlDivergence(Tensor.Create(there, new Shape(2, 3)), rows, detachTarget: true));
        OpErrors.Names("CopyFrom", () => _labels.CopyFrom(Labels.From(there, [0, 1])), "another device");
    }

    [Fact]
    public void ALossOnTheHostTakesRowsOfOneLength()
    {
        float[] row = [1, 2, 3];
        Assert.Throws<ShapeException>(() => new CrossEntropy().Evaluate(row, [], 3, []));
        Assert.Throws<ShapeException>(() => new CrossEntropy().Evaluate(row, [], -1, []));
        Assert.Throws<ShapeException>(() => new CrossEntropy().Evaluate(row, [], 0, new float[2]));
        Assert.Throws<ShapeException>(() => new KlDivergence().Evaluate(row, [1, 2], 0, []));
    }

    [Fact]
    public void RowsAreMatricesOfOneValue()
    {
        var tape = new Tape(_device);
        OpErrors.Names("MatMul", () => tape.MatMul(Tensor.Create(_device, new Shape(2, 3)), Tensor.Create(_device, new Shape(3, 4))),
            "tape.Reshape(x, new(1, 1, N, C))");
        Tensor matrix = Tensor.Create(_device, new Shape(1, 1, 2, 3));
        OpErrors.Names("MatMul", () => tape.MatMul(matrix, matrix), "do not fit.");
    }
}
