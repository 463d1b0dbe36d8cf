namespace Rpat.Tests.Reference;

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
