namespace Rpat.Tests.Golden;

/// <summary>
/// The formula that stands in for stored parameters in the golden files (README.md of this folder): the values of a tensor follow from
/// its name. The same formula in Python is <c>fill</c> in make_golden.py.
/// </summary>
static class GoldenFill
{
    /// <summary>Values of one parameter or running statistic of a PreActResNet, row-major.</summary>
    /// <param name="label">The golden network: <c>w8</c> or <c>quick</c>.</param>
    /// <param name="name">PyTorch name, such as <c>layer1.0.conv1.weight</c>.</param>
    /// <param name="shape">PyTorch shape: [out, in, kH, kW], [out, in] or [n].</param>
    /// <param name="linearInputs">Inputs of the last layer; only <c>linear.bias</c> needs it.</param>
    public static float[] Values(string label, string name, ReadOnlySpan<int> shape, int linearInputs)
    {
        int count = 1;
        foreach (int size in shape) count *= size;
        var (low, high) = Bounds(name, shape, linearInputs);
        return Array.ConvertAll(Uniform($"{label}/{name}", count), u => (float)(low + (high - low) * u));
    }

    /// <summary>Numbers of [0, 1) on a grid of 2^-24: SplitMix64 seeded with the FNV-1a hash of the key.</summary>
    public static double[] Uniform(string key, int count)
    {
        ulong seed = Fnv1A(key);
        var values = new double[count];
        for (int i = 0; i < count; i++) values[i] = (SplitMix64(seed, i) >> 40) * (1.0 / (1 << 24));
        return values;
    }

    static (double Low, double High) Bounds(string name, ReadOnlySpan<int> shape, int linearInputs)
    {
        bool vector = shape.Length == 1;
        if (name.EndsWith("running_var", StringComparison.Ordinal) || (vector && name.EndsWith("weight", StringComparison.Ordinal)))
            return (0.5, 1.5);
        if (vector && !name.StartsWith("linear", StringComparison.Ordinal)) return (-0.25, 0.25);
        double bound = 1 / Math.Sqrt(vector ? linearInputs : FanIn(shape));
        return (-bound, bound);
    }

    static int FanIn(ReadOnlySpan<int> shape)
    {
        int fanIn = 1;
        foreach (int size in shape[1..]) fanIn *= size;
        return fanIn;
    }

    static ulong Fnv1A(string key)
    {
        ulong hash = 0xCBF29CE484222325;
        foreach (byte unit in Encoding.UTF8.GetBytes(key)) hash = unchecked((hash ^ unit) * 0x100000001B3);
        return hash;
    }

    static ulong SplitMix64(ulong seed, int index)
    {
        unchecked
        {
            ulong z = seed + (ulong)(index + 1) * 0x9E3779B97F4A7C15;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
            return z ^ (z >> 31);
        }
    }
}
