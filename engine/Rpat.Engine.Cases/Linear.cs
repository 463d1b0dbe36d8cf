namespace Rpat.Engine.Cases;

/// <summary>A fully connected layer of C inputs and K outputs for N samples.</summary>
public readonly record struct LinearSize(int N, int C, int K);

/// <summary>Fully connected layers.</summary>
public sealed class LinearCases : OpCases<LinearSize>
{
    /// <inheritdoc/>
    public override string Category => "gemm";

    /// <inheritdoc/>
    protected override IEnumerable<LinearSize> RaggedSizes => [new(3, 5, 7), new(9, 70, 10), new(1, 1, 1)];

    /// <inheritdoc/>
    protected override IEnumerable<LinearSize> WiderSizes =>
        [new(2, 3, 10), new(5, 17, 7), new(64, 64, 10), new(3, 512, 100), new(2, 640, 10)];

    /// <inheritdoc/>
    protected override IEnumerable<LinearSize> LayerSizes(int batch) => [new(batch, 512, 10)];

    /// <inheritdoc/>
    protected override IEnumerable<KernelCase> At(TestTensors make, LinearSize size, bool every)
    {
        var (n, c, classes) = size;
        TestTensor x = make.Plain(new(n, c)), w = make.Plain(new(classes, c)), bias = make.Row(classes), y = make.Plain(new(n, classes)),
            dy = make.Plain(y.Shape);
        Array4 Y() => ReferenceLinear.Forward(x.Values, w.Values, bias.Values.Data);
        double Loss() => Y().Dot(dy.Values);
        LinearGradient Gradient() => ReferenceLinear.Backward(x.Values, w.Values, dy.Values);
        yield return new("linear forward", k => k.LinearForward(n, c, classes, x, w, bias, y), new CaseResult(y, Y))
        {
            Covers = ["LinearForward"],
            Bytes = x.Bytes + w.Bytes + y.Bytes,
            Gemm = new(n, classes, c),
        };
        if (every) yield return WithoutBias(make, size, x, w, dy);
        foreach (bool add in Both(every))
        {
            TestTensor dx = make.Plain(x.Shape), dw = make.Plain(w.Shape), db = make.Row(classes);
            yield return new("linear dx", k => k.LinearInputGradient(n, c, classes, dy, w, add, dx),
                CaseResult.GradientBy(dx, add, () => Gradient().X, x, Loss))
            {
                Covers = ["LinearInputGradient"],
                Bytes = dx.Bytes + w.Bytes + dy.Bytes,
                Gemm = new(n, c, classes),
            };
            yield return new("linear dw", k => k.LinearWeightGradient(n, c, classes, x, dy, add, dw, db),
                CaseResult.GradientBy(dw, add, () => Gradient().W, w, Loss),
                CaseResult.GradientBy(db, add, () => Array4.From(1, classes, 1, 1, Gradient().Bias), bias, Loss))
            {
                Covers = ["LinearWeightGradient"],
                Bytes = x.Bytes + dw.Bytes + dy.Bytes,
                Gemm = new(classes, c, n),
            };
        }
    }

    /// <summary>No bias, and the gradients one by one.</summary>
    private static KernelCase WithoutBias(TestTensors make, LinearSize size, TestTensor x, TestTensor w, TestTensor dy)
    {
        var (n, c, classes) = size;
        TestTensor y = make.Plain(new(n, classes)), dw = make.Plain(w.Shape), db = make.Row(classes);
        return new("linear without bias", k =>
        {
            k.LinearForward(n, c, classes, x, w, null, y);
            k.LinearWeightGradient(n, c, classes, x, dy, false, dw, null);
            k.LinearWeightGradient(n, c, classes, x, dy, true, null, db);
        }, new CaseResult(y, () => ReferenceLinear.Forward(x.Values, w.Values)),
            new CaseResult(dw, () => ReferenceLinear.Backward(x.Values, w.Values, dy.Values).W),
            CaseResult.Sum(db, true, () => Array4.From(1, classes, 1, 1, ReferenceLinear.Backward(x.Values, w.Values, dy.Values).Bias)))
        { Covers = ["LinearForward", "LinearWeightGradient"] };
    }
}

/// <summary>Gradients of a linear layer, in the shapes of its operands.</summary>
internal sealed record LinearGradient(Array4 X, Array4 W, double[] Bias);

/// <summary>Linear layer y = x·wᵀ + bias: x is (N, In, 1, 1), w is (Out, In, 1, 1), y is (N, Out, 1, 1).</summary>
internal static class ReferenceLinear
{
    public static Array4 Forward(Array4 x, Array4 w, double[]? bias = null)
    {
        Array4 y = new(x.N, w.N, 1, 1);
        ForEachPair(x, w, (n, o) => y[n, o, 0, 0] = (bias?[o] ?? 0) + Inner(x.Sample(n), w.Sample(o)));
        return y;
    }

    public static LinearGradient Backward(Array4 x, Array4 w, Array4 dy)
    {
        LinearGradient result = new(x.Like(), w.Like(), new double[w.N]);
        ForEachPair(x, w, (n, o) =>
        {
            AddScaled(result.X.Sample(n), dy[n, o, 0, 0], w.Sample(o));
            AddScaled(result.W.Sample(o), dy[n, o, 0, 0], x.Sample(n));
            result.Bias[o] += dy[n, o, 0, 0];
        });
        return result;
    }

    private static void ForEachPair(Array4 x, Array4 w, Action<int, int> visit)
    {
        if (x.SampleLength != w.SampleLength) throw new ArgumentException($"Weights {w} do not fit an input of shape {x}.");
        for (int n = 0; n < x.N; n++)
            for (int o = 0; o < w.N; o++)
                visit(n, o);
    }

    private static double Inner(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        double sum = 0;
        for (int i = 0; i < a.Length; i++) sum += a[i] * b[i];
        return sum;
    }

    private static void AddScaled(Span<double> target, double factor, ReadOnlySpan<double> values)
    {
        for (int i = 0; i < target.Length; i++) target[i] += factor * values[i];
    }
}
