using Rpat.Robust.Methods;

namespace Rpat.Tests.Trainer.Cli;

public sealed class MethodsCommandTests : IDisposable
{
    private readonly TestHost _test = new();

    public void Dispose() => _test.Dispose();

    [Fact]
    public void AllMethodsAreListed()
    {
        var all = MethodCatalog.All; // other tests register some
        Assert.Equal(0, _test.Run("methods"));
        Assert.All(all, method => Assert.Contains($"{method.Name} ", _test.Out));
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
    public void AnAttackIsSaidInWords()
    {
        Assert.Equal(0, _test.Run("methods", "show", "kd-swa"));
        Assert.Contains("attack   PGD on CE; starts at a random point of the ball; batch norms in training mode", _test.Out,
            StringComparison.Ordinal);
        Assert.DoesNotContain("  extra", _test.Out, StringComparison.Ordinal);
    }

    // An installed tool has no other pages than those inside it.
    [Fact]
    public void EverySourceIsInAPageThatTheProgramPrints()
    {
        Assert.Equal(0, _test.Run("methods"));
        var named = System.Text.RegularExpressions.Regex.Matches(_test.Out, @"'rpat docs (\w+) ([0-9.]+)'");
        Assert.True(named.Count >= MethodCatalog.Find(typeof(MethodCatalog).Assembly).Count - 2, _test.Out); // other tests register more
        foreach (var (page, section) in named.Select(match => (match.Groups[1].Value, match.Groups[2].Value)).Distinct())
        {
            using var test = new TestHost();
            Assert.True(test.Run("docs", page, section) == 0, test.Error);
            Assert.Matches($"^##+ {section.Replace(".", "\\.", StringComparison.Ordinal)}[. ]", test.Out);
        }
    }

    [Theory]
    [InlineData("methods show clean", "'rpat docs methods 5', M1")]
    [InlineData("methods show mma", "('rpat docs methods 8', number 13)")]
    [InlineData("recipes show fashion-rebat-quick", "without them ('rpat docs methods 8', number 9)")]
    public void AReferenceIsACommandThatRuns(string line, string reference)
    {
        Assert.Equal(0, _test.Run(line.Split(' ')));
        Assert.Contains(reference, _test.Out.ReplaceLineEndings(" "), StringComparison.Ordinal);
        Assert.DoesNotContain(".md", _test.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void PagesAreListedAndPrinted()
    {
        Assert.Equal(0, _test.Run("docs"));
        Assert.Contains("cli ", _test.Out, StringComparison.Ordinal);
        Assert.Contains("  Using the command line", _test.Out, StringComparison.Ordinal);
        using var test = new TestHost();
        Assert.Equal(0, test.Run("docs", "Methods", "2.3"));
        Assert.StartsWith("### 2.3 TRADES\n", test.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("MART\n", test.Out, StringComparison.Ordinal);
        Assert.Equal(2, test.Run("docs", "methdos"));
        Assert.Contains("did you mean 'methods'?", test.Error, StringComparison.Ordinal);
        Assert.Equal(2, test.Run("docs", "methods", "99"));
        Assert.Contains("'methods' has no section '99'", test.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void AWrongNameNamesTheNearest()
    {
        Assert.Equal(2, _test.Run("methods", "show", "tradse"));
        Assert.Contains("did you mean 'trades'?", _test.Error);
    }
}
