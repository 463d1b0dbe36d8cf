using Rpat.Trainer.Report;

namespace Rpat.Tests.Trainer.Report;

public sealed class AxisTests
{
    [Theory]
    [InlineData(0.13, 0.87, "0.0 0.2 0.4 0.6 0.8 1.0")]
    [InlineData(-3, 12, "-5 0 5 10 15")]
    [InlineData(46.7, 50.1, "46 47 48 49 50 51")]
    [InlineData(0, 2e7, "0 5e+6 1e+7 1.5e+7 2e+7")]
    public void Ticks_are_round_and_reach_around_the_values(double low, double high, string expected)
    {
        var axis = Axis.Around([low, high]);
        Assert.Equal(expected.Replace("0.0", "0"), string.Join(' ', axis.Ticks.Select(axis.Label)));
        Assert.True(axis.Low <= low && high <= axis.High);
    }

    [Fact]
    public void Odd_input_still_makes_an_axis()
    {
        foreach (double[] values in new double[][] { [], [double.NaN], [5], [0], [-5], [double.PositiveInfinity, 1], [1e300, -1e300],
            [1e-300] })
        {
            foreach (var axis in new[] { Axis.Around(values), Axis.Around(values, zero: true), Axis.LogAround(values) })
            {
                Assert.True(axis.Low < axis.High);
                Assert.InRange(axis.Ticks.Count, 2, 12);
                Assert.All(axis.Ticks, t => Assert.InRange(axis.Place(t), 0, 1));
            }
        }
    }

    [Fact]
    public void A_bar_axis_holds_zero() => Assert.Contains(0.0, Axis.Around([70, 80], zero: true).Ticks);

    [Fact]
    public void Powers_of_ten_are_equally_far_apart()
    {
        var axis = Axis.LogAround([0.004, 3]);
        Assert.Equal((0.001, 10.0), (axis.Low, axis.High));
        Assert.Equal(0.25, axis.Place(0.01), 12);
        Assert.Equal(0, axis.Place(-1));
    }

    [Fact]
    public void Fixed_ends_keep_their_place()
    {
        var axis = Axis.Between(0, 0.97);
        Assert.Equal(1, axis.Place(0.97));
        Assert.All(axis.Ticks, t => Assert.InRange(t, 0, 0.97));
    }
}
