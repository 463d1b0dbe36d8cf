using Rpat.Robust.Methods;

namespace Rpat.Tests.Trainer.Cli;

public sealed class MethodsCommandTests : IDisposable
{
    private readonly TestHost _test = new();

    public void Dispose() => _test.Dispose();

    [Fact]
    public void AllMethodsAreListed()
    {
        Assert.Equal(0, _test.Run("methods"));
        Assert.All(MethodCatalog.All, method => Assert.Contains($"{method.Name} ", _test.Out));
        Assert.Contains("NAME+rpat adds", _test.Out);
    }

    [Fact]
    public void AMethodShowsItsBlocksAndSaysWhatIsAssumed()
    {
        Assert.Equal(0, _test.Run("methods", "show", "sovr"));
        Assert.Matches(@"loss +CE\(x'\) or lambda OVR\(x'\)", _test.Out);
        Assert.Contains("method.lambda = 0.4  weight of one against the rest; 0 to 1000000 [from memory, unverified]  UNCERTAIN",
            _test.Out);
        Assert.Contains("UNCERTAIN: no source settles", _test.Out);
    }

    [Fact]
    public void AWrongNameNamesTheNearest()
    {
        Assert.Equal(2, _test.Run("methods", "show", "tradse"));
        Assert.Contains("did you mean 'trades'?", _test.Error);
    }
}
