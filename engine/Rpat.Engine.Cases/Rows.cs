namespace Rpat.Engine.Cases;

/// <summary>Sums over everything but the sample index.</summary>
internal static class Rows
{
    public static double[] Sums(Array4 x)
    {
        double[] sums = new double[x.N];
        for (int i = 0; i < x.Length; i++) sums[i / x.SampleLength] += x.Data[i];
        return sums;
    }

    /// <summary>The L2 norm of every sample.</summary>
    public static double[] Norms(Array4 x) => Array.ConvertAll(Sums(x.Map(value => value * value)), Math.Sqrt);

    /// <summary>Every sample times its own factor.</summary>
    public static Array4 Scale(Array4 x, double[] factors)
    {
        Array4 y = x.Clone();
        for (int i = 0; i < y.Length; i++) y.Data[i] *= factors[i / y.SampleLength];
        return y;
    }
}
