using Rpat.Trainer.Evaluation;

namespace Rpat.Tests.Trainer.Evaluation;

/// <summary>A result beside what is published for its recipe.</summary>
public sealed class PublishedCheckTests : IDisposable
{
    private const string Recipe = "cifar10-resnet18-mart+rpat-linf";

    private readonly TestHost _test = new();
    private readonly PublishedResult _published = RecipeLibrary.Published(Recipe)!;

    public void Dispose() => _test.Dispose();

    [Theory]
    [InlineData(0, "within")]
    [InlineData(-4, "below")]
    [InlineData(4, "above")]
    public void EachColumnIsWithinBelowOrAboveItsInterval(double points, string verdict)
    {
        var check = Check("8/255", "cifar10", points)!;
        Assert.Equal(["Clean", "AA"], check.Columns.Select(c => c.Column));
        Assert.All(check.Columns, c => Assert.Equal(verdict, c.Verdict));
        string[] lines = [.. check.Lines()];
        Assert.Equal($"  published for {Recipe}: {_published.Row}", lines[0]);
        Assert.All(lines.Skip(1), line => Assert.EndsWith($": {verdict}", line));
    }

    [Fact]
    public void AnotherRadiusLeavesTheCleanColumnAndOtherDataNothing()
    {
        Assert.Equal("Clean", Assert.Single(Check("4/255", "cifar10", 0)!.Columns).Column);
        Assert.Null(Check("8/255", "cifar100", 0));
    }

    [Fact]
    public void WhereTheRunDepartsFromItsRecipeIsSaid() =>
        Assert.Contains(", with other settings here (optimizer.lr, train.epochs)",
        Check("8/255", "cifar10", 0, "--epochs", "2", "--lr", "0.05")!.Lines().First());

    private PublishedCheck? Check(string eps, string data, double points, params string[] changes)
    {
        using var host = new TestHost();
        Assert.Equal(0, host.Run(["config", "show", "--recipe", Recipe, .. changes]));
        File.WriteAllText(_test.PathOf("config.yaml"), host.Out);
        int Count(double percent) => (int)Math.Round((percent + points) * 100);
        var report = new EvaluationReport(10_000, Count(_published.Clean),
            [new ColumnResult(0, "aa", "aa-standard", Count(_published.Aa), [])], [], []);
        var options = new EvalOptions(
            _test.Folder, new WeightChoice(null, null, [], [], true), data, null, ["aa"], Norm.Linf,
            EvalOptions.ParseRadii(eps, Norm.Linf), null, 0, 0, BatchSize.Parse("auto"), 0);
        return PublishedCheck.Of(_test.Folder, options, report);
    }
}
