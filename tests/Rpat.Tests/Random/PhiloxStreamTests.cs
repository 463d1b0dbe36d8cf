using FsCheck;
using FsCheck.Fluent;

namespace Rpat.Tests.Randomness;

public sealed class PhiloxStreamTests
{
    private const int Count = 200_000;

    private static readonly PhiloxStream _stream = new RandomKey(2026, Purpose.Noise, 1, 2, 3, 4).Stream();

    [Fact]
    public void FillingGivesTheSameAsDrawingOneByOneFromAnyStart()
    {
        Gen<(int First, int Length)> parts = from first in Gen.Choose(0, 40) from length in Gen.Choose(0, 40) select (first, length);
        Prop.ForAll(parts.ToArbitrary(), part =>
        {
            AssertFills(part.First, part.Length, (span, at) => _stream.FillUniform(span, at), _stream.Uniform);
            AssertFills(part.First, part.Length, (span, at) => _stream.FillSymmetric(span, at), _stream.Symmetric);
            AssertFills(part.First, part.Length, (span, at) => _stream.FillNormal(span, at), _stream.Normal);
        }).QuickCheckThrowOnFailure();
    }

    // Bounds are five standard errors: mean 0.5 +- 0.0033, variance 1/12 +- 0.0009.
    [Fact]
    public void UniformHasItsMoments()
    {
        var values = new float[Count];
        _stream.FillUniform(values);
        Assert.All(values, value => Assert.True(value is >= 0 and < 1));
        Assert.InRange(Mean(values), 0.4967, 0.5033);
        Assert.InRange(Variance(values), 1 / 12.0 - 0.0009, 1 / 12.0 + 0.0009);
        Assert.InRange(Correlation(values), -0.0112, 0.0112);
    }

    [Fact]
    public void SymmetricHasItsMoments()
    {
        var values = new float[Count];
        _stream.FillSymmetric(values);
        Assert.All(values, value => Assert.True(value is >= -1 and < 1));
        Assert.InRange(Mean(values), -0.0066, 0.0066);
        Assert.InRange(Variance(values), 1 / 3.0 - 0.0034, 1 / 3.0 + 0.0034);
        Assert.Contains(values, value => value < -0.9999);
        Assert.Contains(values, value => value > 0.9999);
    }

    // Five standard errors: mean 0.0112, variance 0.0159, third moment 0.0434, fourth 0.11.
    [Fact]
    public void NormalHasItsMoments()
    {
        var values = new float[Count];
        _stream.FillNormal(values);
        Assert.InRange(Mean(values), -0.0112, 0.0112);
        Assert.InRange(Variance(values), 1 - 0.0159, 1 + 0.0159);
        Assert.InRange(values.Average(v => (double)v * v * v), -0.0434, 0.0434);
        Assert.InRange(values.Average(v => (double)v * v * v * v), 3 - 0.11, 3 + 0.11);
        Assert.InRange(Correlation(values), -0.0112, 0.0112);
    }

    // 999 degrees of freedom: mean 999, standard deviation 44.7.
    [Fact]
    public void IntegersAreEquallyLikely()
    {
        var counts = new int[1000];
        for (int draw = 0; draw < Count; draw++) counts[_stream.Below(draw, counts.Length)]++;
        double expected = (double)Count / counts.Length;
        Assert.InRange(counts.Sum(count => (count - expected) * (count - expected) / expected), 776, 1222);
        Assert.Equal(0, _stream.Below(0, 1));
        Assert.InRange(_stream.Below(1, int.MaxValue), 0, int.MaxValue - 1);
    }

    [Fact]
    public void StreamsOfNeighbouringSamplesAreNotCorrelated()
    {
        var values = new float[Count];
        for (int i = 0; i < Count; i++) values[i] = new RandomKey(1, Purpose.AttackStart, 0, i, 0, 0).Stream().Uniform(0);
        Assert.InRange(Mean(values), 0.4967, 0.5033);
        Assert.InRange(Correlation(values), -0.0112, 0.0112);
    }

    // A change here changes every run of every seed.
    [Fact]
    public void WordsBecomeNumbersAsDocumented()
    {
        PhiloxStream stream = new RandomKey(0, Purpose.Init, 0, 0, 0, 0).Stream();
        PhiloxBlock block = Philox.Block(new PhiloxBlock(0, 0, 0, 1), 0);
        Assert.Equal((block.W1 >> 8) / 16777216f, stream.Uniform(1));
        Assert.Equal(((int)block.W2 >> 8) / 8388608f, stream.Symmetric(2));
        Assert.Equal((int)(block.W3 / 4294967296.0 * 10), stream.Below(3, 10));
        double radius = Math.Sqrt(-2 * Math.Log((block.W2 + 1.0) / 4294967296.0)), angle = 2 * Math.PI * (block.W3 / 4294967296.0);
        Assert.Equal(radius * Math.Cos(angle), stream.Normal(2), 1e-6);
        Assert.Equal(radius * Math.Sin(angle), stream.Normal(3), 1e-6);
    }

    private delegate void Fill(Span<float> destination, long firstDraw);

    private static void AssertFills(int first, int length, Fill fill, Func<long, float> draw)
    {
        var filled = new float[length];
        fill(filled, first);
        Assert.Equal(Enumerable.Range(first, length).Select(at => draw(at)), filled);
    }

    private static double Mean(float[] values) => values.Average(value => (double)value);

    private static double Variance(float[] values)
    {
        double mean = Mean(values);
        return values.Average(value => (value - mean) * (value - mean));
    }

    // Between neighbours.
    private static double Correlation(float[] values)
    {
        double mean = Mean(values);
        return values.Zip(values.Skip(1), (a, b) => (a - mean) * (b - mean)).Average() / Variance(values);
    }
}
