using Rpat.Nn.Ops;

namespace Rpat.Engine.Cases;

/// <summary>Scalar functions, of stored values and of views.</summary>
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
    protected override IEnumerable<KernelCase> At(TestTensors make, Shape s, bool every) =>
    [
        .. Of(make, s, "silu", new Silu(), v => v * Logistic(v), v => Logistic(v) * (1 + v * (1 - Logistic(v))), every, -4, 4),
        .. every ? Others(make, s) : [],
    ];

    private static IEnumerable<KernelCase> Others(TestTensors make, Shape s) =>
    [
        .. Of(make, s, "gelu", new Gelu(), v => v * Normal(v), v => Normal(v) + v * Math.Exp(-v * v / 2) / Math.Sqrt(2 * Math.PI), true,
        -4, 4),
        .. Of(make, s, "sigmoid", new Sigmoid(), Logistic, v => Logistic(v) * Logistic(-v), true, -4, 4),
        .. Of(make, s, "tanh", new Tanh(), Math.Tanh, v => 1 - Math.Tanh(v) * Math.Tanh(v), true, -2, 2),
        .. Of(make, s, "softplus", new Softplus(2), v => Math.Log(1 + Math.Exp(2 * v)) / 2, v => Logistic(2 * v), true, -3, 12),
        .. Of(make, s, "relu6", new Clamp(0, 6, 0, 0, 0), v => Math.Clamp(v, 0, 6), v => v is > 0 and < 6 ? 1 : 0, true, -3, 8),
        .. Of(make, s, "leaky relu", new Clamp(0, double.PositiveInfinity, 0.1, 0.1, 1), v => v > 0 ? v : 0.1 * v,
        v => v > 0 ? 1 : 0.1, true),
        .. Of(make, s, "line", new Line(-2, 0.5), v => 0.5 - 2 * v, _ => -2, true),
        .. Of(make, s, "exp", new Exp(), Math.Exp, Math.Exp, true, -3, 3),
        .. Of(make, s, "log", new Log(), Math.Log, v => 1 / v, true, 0.1, 3),
        .. Of(make, s, "square root", new Power(0.5), Math.Sqrt, v => 0.5 / Math.Sqrt(v), true, 0.1, 3),
        .. Of(make, s, "cube", new Power(3), v => v * v * v, v => 3 * v * v, true),
    ];

    private static IEnumerable<KernelCase> Of<TOp>(TestTensors make, Shape s, string name, TOp op, Func<double, double> f,
        Func<double, double> slope, bool every, double low = -1, double high = 1)
        where TOp : struct, IElementwise
    {
        foreach (var layout in Enum.GetValues<Layout>())
        {
            var stored = new Seen(make.Uniform(s, layout, low, high));
            string what = layout == Layout.Plain ? name + " of images" : name;
            foreach (var one in Of(make, stored, what, op, f, slope, every)) yield return one;
            // A view that maps the range into itself.
            if (every && layout == Layout.Blocked && low < 0)
                foreach (var one in Of(make, make.View(stored.X), what, op, f, slope, true)) yield return one;
        }
    }

    private static IEnumerable<KernelCase> Of<TOp>(TestTensors make, Seen x, string name, TOp op, Func<double, double> f,
        Func<double, double> slope, bool every)
        where TOp : struct, IElementwise
    {
        var (s, layout) = (x.X.Shape, x.X.Layout);
        TestTensor y = make.Uniform(s, layout), dy = make.Uniform(s, layout);
        Array4 Y() => x.Values.Map(f);
        Array4 Slopes() => x.Values.Zip(dy.Values, (v, g) => g * slope(v));
        yield return new(name, k => k.Elementwise(op, s, layout, x.Operand, y), new CaseResult(y, Y))
        { Covers = ["Elementwise"], Bytes = 2 * y.Bytes };
        foreach (bool add in Both(every))
        {
            TestTensor dx = make.Uniform(s, layout), seen = make.Uniform(s, layout);
            yield return new($"{name} gradient", k => k.ElementwiseGradient(op, s, layout, x.Operand, x.Scale is not null, dy, add, dx),
                CaseResult.GradientBy(dx, add, () => x.Through(Slopes()), x.X, () => Y().Dot(dy.Values)))
            { Covers = ["ElementwiseGradient"], Bytes = 3 * dx.Bytes };
            if (x.Scale is null) continue;
            yield return new($"{name} gradient of what is seen", k => k.ElementwiseGradient(op, s, layout, x.Operand, false, dy, add, seen),
                CaseResult.Sum(seen, add, Slopes))
            { Covers = ["ElementwiseGradient"] };
        }
    }

    private static double Logistic(double v) => 1 / (1 + Math.Exp(-v));

    /// <summary>The normal distribution, from its Taylor series.</summary>
    private static double Normal(double v)
    {
        double term = v, sum = v;
        for (int n = 1; Math.Abs(term) > 1e-18 && n < 400; n++) sum += term *= v * v / (2 * n + 1);
        return 0.5 + sum * Math.Exp(-v * v / 2) / Math.Sqrt(2 * Math.PI);
    }
}
