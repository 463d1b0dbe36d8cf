namespace Rpat.Tests.Reference;

/// <summary>Operations that treat every entry alone.</summary>
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
