namespace Rpat.Engine.Cases;

/// <summary>
/// A dense double-precision array in NCHW order, the only data type of the references.
/// Logits are (batch, classes, 1, 1); convolution weights are (out, in / groups, kernel height, kernel width).
/// </summary>
public sealed class Array4(int n, int c, int h, int w)
{
    public int N { get; } = n;

    public int C { get; } = c;

    public int H { get; } = h;

    public int W { get; } = w;

    /// <summary>The values, last index fastest.</summary>
    public double[] Data { get; } = new double[checked(n * c * h * w)];

    public int Length => Data.Length;

    /// <summary>Values per sample, C·H·W.</summary>
    public int SampleLength => C * H * W;

    public double this[int n, int c, int h, int w]
    {
        get => Data[Offset(n, c, h, w)];
        set => Data[Offset(n, c, h, w)] = value;
    }

    /// <summary>Position in <see cref="Data"/> of one entry.</summary>
    public int Offset(int n, int c, int h, int w) => (((n * C) + c) * H + h) * W + w;

    /// <summary>The values of one sample, as a view.</summary>
    public Span<double> Sample(int n) => Data.AsSpan(n * SampleLength, SampleLength);

    /// <summary>A new array of this shape, all zero.</summary>
    public Array4 Like() => new(N, C, H, W);

    public Array4 Clone() => From(N, C, H, W, Data);

    /// <summary>An array holding a copy of <paramref name="values"/>, whose count must be n·c·h·w.</summary>
    public static Array4 From(int n, int c, int h, int w, params ReadOnlySpan<double> values)
    {
        Array4 result = new(n, c, h, w);
        RequireLength(result, values.Length);
        values.CopyTo(result.Data);
        return result;
    }

    /// <summary>An array holding the widened float values, whose count must be n·c·h·w.</summary>
    public static Array4 FromFloats(int n, int c, int h, int w, ReadOnlySpan<float> values)
    {
        Array4 result = new(n, c, h, w);
        RequireLength(result, values.Length);
        for (int i = 0; i < values.Length; i++) result.Data[i] = values[i];
        return result;
    }

    /// <summary>The values rounded to float, in NCHW order.</summary>
    public float[] ToFloats() => Array.ConvertAll(Data, value => (float)value);

    /// <summary>
    /// Uniform values in [low, high) from a seed. Every value is exactly a float, so that a kernel under test
    /// and its reference can start from the same numbers.
    /// </summary>
    public static Array4 Uniform(int n, int c, int h, int w, int seed, double low = -1, double high = 1)
    {
        System.Random random = new(seed);
        return new Array4(n, c, h, w).Fill(() => (float)(low + (high - low) * random.NextDouble()));
    }

    /// <summary>Normal values of mean 0 and the given deviation from a seed (Box–Muller), each exactly a float.</summary>
    public static Array4 Normal(int n, int c, int h, int w, int seed, double deviation = 1)
    {
        System.Random random = new(seed);
        return new Array4(n, c, h, w).Fill(() => (float)(deviation * NextNormal(random)));
    }

    /// <summary>The array f(v) for every value v.</summary>
    public Array4 Map(Func<double, double> f) => From(N, C, H, W, Array.ConvertAll(Data, value => f(value)));

    /// <summary>The array f(v, o) for every pair of values at the same place; shapes must agree.</summary>
    public Array4 Zip(Array4 other, Func<double, double, double> f)
    {
        RequireSameShape(other);
        Array4 result = Like();
        for (int i = 0; i < Length; i++) result.Data[i] = f(Data[i], other.Data[i]);
        return result;
    }

    /// <summary>The array f(c, v) for every value v, c its channel.</summary>
    public Array4 MapChannels(Func<int, double, double> f)
    {
        Array4 result = Like();
        for (int i = 0; i < Length; i++) result.Data[i] = f(i / (H * W) % C, Data[i]);
        return result;
    }

    /// <summary>The sum of every channel, over samples and pixels.</summary>
    public double[] ChannelSums()
    {
        double[] sums = new double[C];
        for (int i = 0; i < Length; i++) sums[i / (H * W) % C] += Data[i];
        return sums;
    }

    /// <summary>A subset of the samples; of a weight, a subset of the filters.</summary>
    public Array4 Samples(int[] which)
    {
        Array4 part = new(which.Length, C, H, W);
        for (int i = 0; i < which.Length; i++) Sample(which[i]).CopyTo(part.Sample(i));
        return part;
    }

    /// <summary>A subset of the channels, for every sample.</summary>
    public Array4 Channels(int[] which)
    {
        Array4 part = new(N, which.Length, H, W);
        int area = H * W;
        for (int n = 0; n < N; n++)
            for (int i = 0; i < which.Length; i++)
                Sample(n).Slice(which[i] * area, area).CopyTo(part.Sample(n)[(i * area)..]);
        return part;
    }

    public double Sum() => Data.Sum();

    /// <summary>Σ v·o over all entries; shapes must agree.</summary>
    public double Dot(Array4 other) => Zip(other, (a, b) => a * b).Sum();

    /// <summary>
    /// Normalised squared error Σ(a−r)² / Σr²; 0 when both are zero, infinite when only the reference is zero and
    /// <paramref name="least"/> is 0.
    /// </summary>
    public static double Nmse(Array4 reference, Array4 actual, double least = 0) => Ratio(
        reference.Zip(actual, (r, a) => (a - r) * (a - r)).Sum(), Math.Max(reference.Dot(reference), least * least * reference.Length));

    /// <summary>Largest error over largest reference, max|a−r| / max|r|; 0 when both are zero, NaN when any value is.</summary>
    public static double RelativeMaxError(Array4 reference, Array4 actual, double least = 0) =>
        Ratio(reference.Zip(actual, (r, a) => a - r).MaxAbs(), Math.Max(reference.MaxAbs(), least));

    /// <summary>The largest magnitude; NaN when any value is NaN.</summary>
    public double MaxAbs() => Data.Aggregate(0.0, (max, value) => Math.Max(max, Math.Abs(value)));

    /// <summary>The shape as (n, c, h, w), for messages.</summary>
    public override string ToString() => $"({N}, {C}, {H}, {W})";

    private Array4 Fill(Func<double> next)
    {
        for (int i = 0; i < Length; i++) Data[i] = next();
        return this;
    }

    private static double NextNormal(System.Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());

    private static double Ratio(double error, double scale) => error == 0 ? 0 : error / scale;

    private void RequireSameShape(Array4 other)
    {
        if ((N, C, H, W) != (other.N, other.C, other.H, other.W))
            throw new ArgumentException($"An array of shape {this} cannot be combined with one of shape {other}.");
    }

    private static void RequireLength(Array4 array, int count)
    {
        if (count != array.Length)
            throw new ArgumentException($"An array of shape {array} holds {array.Length} values, but {count} were given.");
    }
}
