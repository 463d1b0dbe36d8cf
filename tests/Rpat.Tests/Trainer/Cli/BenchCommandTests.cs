namespace Rpat.Tests.Trainer.Cli;

public sealed class BenchCommandTests : IDisposable
{
    private static readonly string[] _small =
        ["bench", "step", "--recipe", "fashion-quick", "--set", "model.width=4", "--batch-size", "8", "--attack-steps", "2", "--rounds", "2"];

    private readonly TestHost _test = new();

    public void Dispose() => _test.Dispose();

    [Fact]
    public void AnItemHasItsMedianAndItsProfile()
    {
        Assert.Equal(0, _test.Run([.. _small, "--items", "step", "--profile"]));
        Assert.Matches(@"step +[0-9.]+ images/s +[0-9.]+ ms a batch  \(median of 2, [0-9.]+–[0-9.]+ ms\)", _test.Out);
        Assert.Contains("forward  Conv2d 3x3/2 direct", _test.Out);
        Assert.Contains("backward Conv2d first 3x3 direct", _test.Out);
        Assert.Contains("forward  RpatLoss", _test.Out);
        Assert.Contains("outside of the tapes", _test.Out);
        Assert.Empty(_test.Error);
    }

    [Fact]
    public void SharesOfAProfileAddUpToTheWhole()
    {
        Assert.Equal(0, _test.Run([.. _small, "--items", "clean-step", "--profile"]));
        string kinds = _test.Out[_test.Out.IndexOf("by kind:", StringComparison.Ordinal).._test.Out.IndexOf("by size:", StringComparison.Ordinal)];
        double sum = kinds.Split('\n').Where(line => line.Contains('%')).Sum(line => double.Parse(line[..line.IndexOf('%')], System.Globalization.CultureInfo.InvariantCulture));
        Assert.InRange(sum, 98, 102);
    }

    [Theory]
    [InlineData("--items", "stpe", "did you mean 'step'?")]
    [InlineData("--rounds", "0", "--rounds 0")]
    public void WrongOptionsAreOneSentence(string option, string value, string expected)
    {
        Assert.Equal(2, _test.Run("bench", "step", "--recipe", "fashion-quick", option, value));
        Assert.Contains(expected, _test.Error);
        Assert.Single(_test.Error.TrimEnd().Split('\n'));
    }

    [Theory]
    [InlineData("--precision", "fp16", "give fp32, tf32 or bf16")]
    [InlineData("--conv", "fft", "give auto or direct")]
    [InlineData("--batch-size", "0", "give 1 to 4096")]
    public void WrongOptionsOfTheTableAreOneSentence(string option, string value, string expected)
    {
        Assert.Equal(2, _test.Run("bench", "kernels", option, value));
        Assert.Contains(expected, _test.Error);
        Assert.Single(_test.Error.TrimEnd().Split('\n'));
    }
}
