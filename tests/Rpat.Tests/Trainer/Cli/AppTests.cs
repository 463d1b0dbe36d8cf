namespace Rpat.Tests.Trainer.Cli;

public sealed class AppTests : IDisposable
{
    private readonly TestHost _test = new();

    public void Dispose() => _test.Dispose();

    [Theory]
    [InlineData("trin", "did you mean 'train'?")]
    [InlineData("train --recpe x --dry-run", "did you mean '--recipe'?")]
    [InlineData("train --dry-run", "nothing says what to train")]
    [InlineData("train --dry-run --recipe", "--recipe")]
    [InlineData("train --dry-run --recipe fashon-quick", "unknown recipe 'fashon-quick' (--recipe): did you mean 'fashion-quick'?")]
    [InlineData("train --dry-run --recipe fashion-quick --eps 8", "attack.eps is '8' (--eps)")]
    [InlineData("train --dry-run --recipe fashion-quick --model preactresnet", "did you mean 'preactresnet18'?")]
    [InlineData("train --dry-run --recipe fashion-quick --dataset cifar", "did you mean 'cifar10'?")]
    [InlineData("train --dry-run -c /no/such/file.yaml", "cannot be read")]
    [InlineData("recipes show", "NAME")]
    [InlineData("recipes show fashion", "unknown recipe 'fashion'")]
    public void AWrongCommandLineIsOneSentenceAndExitCode2(string line, string expected)
    {
        Assert.Equal(2, _test.Run(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)));
        Assert.Empty(_test.Out);
        Assert.StartsWith("rpat: ", _test.Error);
        Assert.Contains(expected, _test.Error);
        Assert.Single(_test.Error.TrimEnd().Split('\n'));
    }

    [Fact]
    public void DevicesListsWhatThereIsAndSaysWhyTheRestIsNot()
    {
        Assert.Equal(0, _test.Run("devices"));
        Assert.Matches(@"(?m)^cpu +\S+", _test.Out);
        Assert.Matches(@"(?m)^cuda(:0 +\S+| +none: (this build has no CUDA backend|the CUDA driver))", _test.Out);
    }

    [Fact]
    public void TheEntryPointReturnsTheExitCode()
    {
        var main = typeof(Rpat.Trainer.Cli.App).Assembly.EntryPoint!;
        Assert.Equal(2, main.Invoke(null, [new[] { "recipes", "show", "no-such-recipe" }]));
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("--version")]
    [InlineData("train --help")]
    [InlineData("recipes show --help --log-level")]
    [InlineData("train --help --deterministic")]
    [InlineData("--version --log-level")]
    public void HelpAndVersionGoToStdout(string line)
    {
        Assert.Equal(0, _test.Run(line.Split(' ')));
        Assert.NotEmpty(_test.Out);
        Assert.Empty(_test.Error);
    }

    [Fact]
    public void RecipesListsEveryName()
    {
        Assert.Equal(0, _test.Run("recipes"));
        Assert.All(RecipeLibrary.Names, name => Assert.Contains($"{name} ", _test.Out));
    }

    [Fact]
    public void RecipesShowPrintsTheFileWithItsSources()
    {
        Assert.Equal(0, _test.Run("recipes", "show", "cifar10-preactresnet18-rpat-linf"));
        Assert.Contains("milestones: [100, 105]     # official code", _test.Out);
    }

    [Fact]
    public void DryRunPrintsAConfigurationThatCanBeFedBack()
    {
        string[] changes = ["--set", "method=pgd-at", "-b", "32", "--eps", "4/255"];
        Assert.Equal(0, _test.Run(["train", "--dry-run", "--recipe", "fashion-quick", .. changes]));
        string file = _test.Write("config.yaml", _test.Out);
        using var again = new TestHost(("RPAT_RUNS", _test.PathOf("runs")));
        Assert.Equal(0, again.Run("train", "--dry-run", "-c", file));
        Assert.Equal(WithoutComments(_test.Out), WithoutComments(again.Out));
        Assert.Contains("  name: pgd-at  ", again.Out);
    }

    [Theory]
    [InlineData("", "train ")]
    [InlineData("help", "train ")]
    [InlineData("help train", "--dry-run")]
    public void HelpIsWhatABareCommandLineWants(string line, string part)
    {
        Assert.Equal(0, _test.Run(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)));
        Assert.Contains(part, _test.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void DryRunMakesNoFolder()
    {
        string runs = _test.PathOf("runs");
        Assert.Equal(0, _test.Run("train", "--dry-run", "--recipe", "fashion-quick", "--out", runs));
        Assert.False(Directory.Exists(runs));
    }

    [Fact]
    public void AResponseFileHoldsArguments()
    {
        string file = _test.Write("args.rsp", "--dry-run\n--recipe\nfashion-quick\n--epochs\n7\n");
        Assert.Equal(0, _test.Run("train", "@" + file));
        Assert.Contains("epochs: 7 ", _test.Out);
    }

    private static IEnumerable<string> WithoutComments(string text) =>
        text.Split('\n').Where(line => !line.StartsWith('#')).Select(line => line.Split("  # ")[0].TrimEnd());
}
