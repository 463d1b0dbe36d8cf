namespace Rpat.Engine.Cases;

/// <summary>Materialised views, sums, and their gradients.</summary>
public sealed class PointwiseCases : OpCases<Shape>
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
        TestTensor b = make.Blocked(s), y = make.Blocked(s);
        Seen a = make.View(make.Blocked(s));
        foreach (var one in Views(make, s, Layout.Blocked, a)) yield return one;
        yield return Sum(s, "add, relu", new(a.X), new(b), true, y);
        if (!every) yield break;
        yield return Sum(s, "add", new(a.X), new(b), false, make.Blocked(s));
        yield return Sum(s, "add a view, relu", a, new(b), true, make.Blocked(s));
        yield return Sum(s, "add to a view", new(b), a with { Relu = false }, false, make.Blocked(s));
        foreach (var layout in Enum.GetValues<Layout>())
        {
            Seen x = make.View(make.Uniform(s, layout));
            if (layout == Layout.Plain)
                foreach (var one in Views(make, s, layout, x)) yield return one;
            yield return Apply(make, s, layout, x with { Relu = false });
            yield return Apply(make, s, layout, new Seen(x.X, Relu: true));
            yield return Gradient(make, s, layout, new Seen(x.X), masked: false, add: true);
        }
    }

    private static IEnumerable<KernelCase> Views(TestTensors make, Shape s, Layout layout, Seen x) =>
        [Apply(make, s, layout, x), Gradient(make, s, layout, x, masked: true, add: false)];

    private static KernelCase Apply(TestTensors make, Shape s, Layout layout, Seen x)
    {
        TestTensor y = make.Uniform(s, layout);
        return new("relu(scale·x + shift)", k => k.Apply(s, layout, x.Operand, y), new CaseResult(y, () => x.Values))
        { Covers = ["Apply"], Bytes = 2 * y.Bytes };
    }

    private static KernelCase Sum(Shape s, string name, Seen a, Seen b, bool relu, TestTensor y) =>
        new(name, k => k.Add(s, a.Operand, b.Operand, relu, y), new CaseResult(y, () =>
        {
            Array4 sum = ReferenceElementwise.Add(a.Values, b.Values);
            return relu ? ReferenceElementwise.Relu(sum) : sum;
        }))
        { Covers = ["Add"], Bytes = 3 * y.Bytes };

    /// <summary>Gradient of [relu](x + other), x seen through its view; if the sum was clamped, its result serves as the mask.</summary>
    private static KernelCase Gradient(TestTensors make, Shape s, Layout layout, Seen x, bool masked, bool add)
    {
        TestTensor dy = make.Uniform(s, layout), sum = make.Uniform(s, layout), dx = make.Uniform(s, layout);
        var other = new Lazy<Array4>(() => sum.Values.Zip(x.Values, (p, q) => p - q)); // any constant: the sum is the tensor that was drawn
        Array4 Relu(Array4 v) => masked ? ReferenceElementwise.Relu(v) : v;
        return new("add gradient", k => k.AddGradient(s, layout, dy, masked ? sum.Buffer : null, x.Operand, add, dx), CaseResult.GradientBy(
            dx, add, () => x.Through(masked ? ReferenceElementwise.ReluBackward(sum.Values, dy.Values) : dy.Values), x.X,
            () => Relu(ReferenceElementwise.Add(x.Values, other.Value)).Dot(dy.Values)))
        {
            Covers = ["AddGradient"],
            Bytes = 4 * dx.Bytes,
        };
    }
}

/// <summary>Element-wise operations.</summary>
internal static class ReferenceElementwise
{
    public static Array4 Relu(Array4 x) => x.Map(value => Math.Max(value, 0));

    /// <summary>∂L/∂x of ReLU from its input; the derivative at 0 is 0.</summary>
    public static Array4 ReluBackward(Array4 x, Array4 dy) => x.Zip(dy, (value, gradient) => value > 0 ? gradient : 0);

    public static Array4 Add(Array4 a, Array4 b) => a.Zip(b, (p, q) => p + q);

    /// <summary>x plus one value per channel.</summary>
    public static Array4 AddChannels(Array4 x, double[] values)
    {
        Array4 y = x.Like();
        for (int i = 0; i < x.Length; i++) y.Data[i] = x.Data[i] + values[i / (x.H * x.W) % x.C];
        return y;
    }

    /// <summary>The interpolated example x̃ = x + α(x′ − x) (methods.md 0.1).</summary>
    public static Array4 Lerp(Array4 x, Array4 adversarial, double alpha) => x.Zip(adversarial, (p, q) => p + alpha * (q - p));

    /// <summary>Input normalisation (x − mean)/deviation with one pair per channel.</summary>
    public static Array4 Normalise(Array4 x, double[] mean, double[] deviation)
    {
        Array4 y = x.Like();
        for (int i = 0; i < x.Length; i++)
        {
            int c = i / (x.H * x.W) % x.C;
            y.Data[i] = (x.Data[i] - mean[c]) / deviation[c];
        }

        return y;
    }

    /// <summary>∂L/∂x of the input normalisation.</summary>
    public static Array4 NormaliseBackward(Array4 dy, double[] deviation) => Normalise(dy, new double[dy.C], deviation);
}
