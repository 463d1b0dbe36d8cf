namespace Rpat.Tests.Nn;

/// <summary>Rows of length 1 and images of deviation 1, where a length or a deviation is too small to divide by; else golden networks show
/// them.</summary>
public class LengthOpsTests
{
    [Fact]
    public void A_constant_image_becomes_zero_and_its_gradient_is_finite()
    {
        float[] image = [.. Enumerable.Repeat(0.5f, 12)];
        var (y, gradient) = Run(image, new Shape(1, 3, 2, 2), (tape, x) => tape.StandardizeImages(x));
        Assert.All(y, value => Assert.Equal(0, value));
        // √12·(g − mean of g)
        Assert.All(gradient.Zip(Cotangent(12)), pair => Assert.Equal(Math.Sqrt(12) * (pair.Second - 5.5), pair.First, 4));
    }

    [Fact]
    public void A_row_of_zeros_stays_zero()
    {
        var (y, gradient) = Run([0, 0, 3, 4], new Shape(2, 2), (tape, x) => tape.UnitRows(x));
        Assert.Equal([0, 0, 0.6f, 0.8f], y);
        Assert.All(gradient, value => Assert.True(float.IsFinite(value)));
        // (g − ẑ·(ẑ·g))/5 with g = (2, 3)
        Assert.Equal((2 - 0.6 * 3.6) / 5, gradient[2], 5);
    }

    [Fact]
    public void A_meta_device_has_names_and_shapes_but_no_values()
    {
        using var meta = new MetaDevice();
        using var cpu = Device.Cpu(1);
        Rpat.Models.ModelSpec spec = new("preactresnet18", new Shape(1, 3, 8, 8), 5) { Width = 3, Blocks = 1 };
        var shapes = Rpat.Models.ModelCatalog.Build(meta, spec, 1);
        Assert.Equal(Rpat.Models.ModelCatalog.Build(cpu, spec, 1).StateShapes().Select(Text), shapes.StateShapes().Select(Text));
        Assert.Contains("shapes only", Assert.Throws<InvalidOperationException>(() => shapes.State().First()).Message);
        static string Text((string Name, long[] Shape) of) => $"{of.Name} {string.Join(',', of.Shape)}";
    }

    private static float[] Cotangent(int count) => [.. Enumerable.Range(0, count).Select(i => (float)i)];

    // The loss is Σ i·y_i, through a linear layer's kernel: the gradient by y is 0, 1, 2, …
    private static (float[] Y, float[] Gradient) Run(float[] values, Shape shape, Func<Tape, Tensor, Tensor> op)
    {
        using var device = Device.Cpu(1);
        Tensor x = Tensor.From(device, shape, values, needsGrad: true);
        var tape = new Tape(device, Gradients.Inputs);
        Tensor y = tape.Retain(op(tape, x));
        tape.Record(new Ops.DotLoss(tape, y, Cotangent(values.Length)));
        tape.Run();
        return (y.ToArray(), x.GradToArray());
    }
}
