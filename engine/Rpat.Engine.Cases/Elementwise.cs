namespace Rpat.Engine.Cases;

/// <summary>Functions of one number, by SiLU.</summary>
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
    protected override IEnumerable<KernelCase> At(Givens make, Shape s, bool every)
    {
        foreach (var layout in Enum.GetValues<Layout>())
        {
            Seen x = new(make.Uniform(s, layout, -4, 4));
            yield return Value(make, s, layout, x);
            yield return Gradient(make, s, layout, x, through: false, add: false);
            if (!every) continue;
            Seen view = make.View(make.Uniform(s, layout));
            yield return Value(make, s, layout, view);
            yield return Gradient(make, s, layout, view, through: true, add: false);
            yield return Gradient(make, s, layout, view, through: true, add: true);
        }
    }

    private static string Name(string name, Layout layout) => layout == Layout.Plain ? name + " of images" : name;

    private static KernelCase Value(Givens make, Shape s, Layout layout, Seen x)
    {
        Given y = make.Uniform(s, layout);
        return new(Name("silu", layout), k => k.Elementwise(new Silu(), s, layout, x.Operand, y), new CaseResult(y, () => Y(x)))
        {
            Covers = ["Elementwise"],
            Bytes = 2 * y.Bytes,
        };
    }

    private static KernelCase Gradient(Givens make, Shape s, Layout layout, Seen x, bool through, bool add)
    {
        Given dy = make.Uniform(s, layout), dx = make.Uniform(s, layout);
        Array4 Slope(Array4 at) => at.Map(v => Sigmoid(v) * (1 + v * (1 - Sigmoid(v))));
        Array4 Of() => Slope(x.Values).Zip(dy.Values, (slope, g) => slope * g);
        return new(
            Name("silu gradient", layout), k => k.ElementwiseGradient(new Silu(), s, layout, x.Operand, dy, through, add, dx),
            CaseResult.GradientBy(dx, add, () => through ? x.Through(Of()) : Of(), x.X, () => Y(x).Dot(dy.Values)))
        {
            Covers = ["ElementwiseGradient"],
            Bytes = 3 * dx.Bytes,
        };
    }

    private static Array4 Y(Seen x) => x.Values.Map(v => v * Sigmoid(v));

    private static double Sigmoid(double v) => 1 / (1 + Math.Exp(-v));
}
