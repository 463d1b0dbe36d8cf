using Rpat.Robust.Settings;

namespace Rpat.Tests.Trainer.Config;

public class NumbersTests
{
    [Theory]
    [InlineData("8/255", 8.0 / 255)]
    [InlineData(" 1e-4 ", 1e-4)]
    [InlineData("-0.5", -0.5)]
    [InlineData("0.5/2", 0.25)]
    public void ReadsDecimalsAndFractions(string text, double expected)
    {
        Assert.True(Numbers.TryReal(text, out double value));
        Assert.Equal(expected, value);
    }

    [Theory]
    [InlineData("")]
    [InlineData("8/0")]
    [InlineData("0/0")]
    [InlineData("1/2/3")]
    [InlineData("nan")]
    [InlineData("Infinity")]
    [InlineData("1e999")]
    [InlineData("0,5")]
    [InlineData("1,000")]
    public void RefusesWhatIsNoFiniteNumber(string text) => Assert.False(Numbers.TryReal(text, out _));

    [Fact]
    public void DoesNotDependOnTheCulture()
    {
        var before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = new CultureInfo("") { NumberFormat = { NumberDecimalSeparator = ",", NegativeSign = "~" } };
            Assert.True(Numbers.TryReal("-0.25", out double value));
            Assert.Equal(-0.25, value);
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }
}
