using Rpat.Trainer.Report;

namespace Rpat.Tests.Trainer.Report;

public sealed class PairedTestTests
{
    // The binomial probabilities by hand: 2 (1 + 12 + 66) / 2^12; 2 / 2^5.
    [Theory]
    [InlineData(10, 2, 158 / 4096.0)]
    [InlineData(2, 10, 158 / 4096.0)]
    [InlineData(5, 0, 2 / 32.0)]
    [InlineData(3, 3, 1)]
    [InlineData(0, 0, 1)]
    public void PIsExact(int first, int second, double p) => Assert.Equal(p, new PairedTest(100, first, second).P, 12);

    [Fact]
    public void PIsExactForManyImages() => Assert.Equal(0.038, new PairedTest(10_000, 420, 361).P, 0.002); // z = 58 / sqrt(781), corrected

    [Fact]
    public void ImagesAreComparedOneByOne()
    {
        var test = PairedTest.Of([true, true, false, false, true], [true, false, true, false, false]);
        Assert.Equal(new PairedTest(5, 2, 1), test);
        Assert.Equal(0.2, test.Difference, 12);
        Assert.InRange(test.Interval.Low, -0.6, test.Difference);
        Assert.InRange(test.Interval.High, test.Difference, 0.9);
    }

    // Bonett and Price: (21 - 6)/82, half width 1.96 sqrt((27/82 - (15/82)^2)/82).
    [Fact]
    public void TheIntervalIsBonettsAndPrices()
    {
        var (low, high) = new PairedTest(80, 20, 5).Interval;
        double middle = 15 / 82.0, half = 1.959963984540054 * Math.Sqrt((27 / 82.0 - middle * middle) / 82);
        Assert.Equal(middle - half, low, 12);
        Assert.Equal(middle + half, high, 12);
    }
}
