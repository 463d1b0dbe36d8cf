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

    [Theory]
    [InlineData(2147483647.0, "2147483647")]
    [InlineData(1e6, "1000000")]
    [InlineData(1e30, "1e30")]
    [InlineData(9.2233720368547758e18, "9.223372036854776e18")]
    [InlineData(8 / 255.0, "8/255")]
    [InlineData(5e-4, "5e-4")]
    public void ANumberIsWrittenAsPeopleWriteIt(double value, string text) => Assert.Equal(text, Numbers.Text(value));

    [Theory]
    [InlineData("train.seed=-1", "it wants a whole number from 0 to 9223372036854775807.")]
    [InlineData("train.max_steps=-1", "it wants a whole number from 0 to 2147483647.")]
    [InlineData("optimizer.lr=-1", "it wants a number from 0 to 1e30, such as 0.1, 1e-4 or 8/255.")]
    public void ABoundIsWrittenOut(string set, string sentence) => Assert.EndsWith(sentence, Assert.Throws<ConfigException>(() =>
        ConfigResolver.Resolve(new ConfigSources([], new Dictionary<string, string>(), [set], []))).Message);

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
