namespace Rpat.Engine.Cases;

/// <summary>Scalar functions, tested with SiLU.</summary>
public sealed class ElementwiseCases : OpCases<Shape>
{
    /// <inheritdoc/>
    public override string Category => "pointwise";

    /// <inheritdoc/>
    protected override IEnumerable<Shape> RaggedSizes => ActivationSizes.Ragged;

    /// <inheritdoc/>
    protected override IEnumerable<Shape> WiderSizes => [new(3, 17, 5, 7)];

    /// <inheritdoc/>
    protected override IEnumerable<Shape> LayerSizes(int batch) => [ActivationSizes.Layer(batch)];

    /// <inheritdoc/>
    protected override IEnumerable<KernelCase> At(TestTensors make, Shape s, bool every)
    {
        foreach (var layout in Enum.GetValues<Layout>())
        {
            TestTensor x = make.Uniform(s, layout, -4, 4), y = make.Uniform(s, layout);
            yield return new(Name("silu", layout), k => k.Elementwise(new Silu(), s, layout, x, y), new CaseResult(y, () => Y(x)))
            {
                Covers = ["Elementwise"],
                Bytes = 2 * y.Bytes,
            };
            foreach (bool add in Both(every)) yield return Gradient(make, s, layout, x, add);
        }
    }

    private static string Name(string name, Layout layout) => layout == Layout.Plain ? name + " of images" : name;

    private static KernelCase Gradient(TestTensors make, Shape s, Layout layout, TestTensor x, bool add)
    {
        TestTensor dy = make.Uniform(s, layout), dx = make.Uniform(s, layout);
        Array4 Gradient() => x.Values.Zip(dy.Values, (v, g) => g * Sigmoid(v) * (1 + v * (1 - Sigmoid(v))));
        return new(Name("silu gradient", layout), k => k.ElementwiseGradient(new Silu(), s, layout, x, dy, add, dx),
            CaseResult.GradientBy(dx, add, Gradient, x, () => Y(x).Dot(dy.Values)))
        {
            Covers = ["ElementwiseGradient"],
            Bytes = 3 * dx.Bytes,
        };
    }

    private static Array4 Y(TestTensor x) => x.Values.Map(v => v * Sigmoid(v));

    private static double Sigmoid(double v) => 1 / (1 + Math.Exp(-v));
}
