namespace Rpat.Tests.Trainer.Config;

public sealed class ConfigWriterTests : IDisposable
{
    private readonly TestHost _test = new();

    public void Dispose() => _test.Dispose();

    public static TheoryData<string> Recipes => [.. RecipeLibrary.Names];

    [Theory]
    [MemberData(nameof(Recipes))]
    public void FeedingTheResolvedFileBackReproducesIt(string recipe) =>
        AssertRoundTrip($"recipe={recipe}", "train.seed=9223372036854775807", "attack.eps=0.031");

    [Theory]
    [InlineData("data.dir=")]
    [InlineData("data.dir=C:\\images: #1 \"x\"")]
    [InlineData("data.dir=- a\nb\tc é 中")]
    [InlineData("data.dir=null")]
    [InlineData("data.dir=with space")]
    [InlineData("recipe.about={a, b}: [c] &d *e !f | > % @ `")]
    [InlineData("eval.attacks=")]
    [InlineData("eval.attacks=[clean, pgd3]")]
    public void AnyTextSurvives(string setting) => AssertRoundTrip(setting);

    [Fact]
    public void EveryValueNamesItsOrigin()
    {
        string text = ConfigWriter.Write(Resolve("train.epochs=4"));
        Assert.Contains("\n  epochs: 4                           # --set\n", text);
        Assert.Contains("\n  augment:\n    crop: 0                           # default\n", text);
        Assert.Equal(ConfigKeys.All.Count(leaf => !leaf.IsOptional), text.Split('\n').Count(line => line.Contains("  # ")));
    }

    private void AssertRoundTrip(params string[] sets)
    {
        var first = Resolve(sets);
        string file = _test.Write("config.yaml", ConfigWriter.Write(first));
        var second = ConfigResolver.Resolve(new ConfigSources([file], new Dictionary<string, string>(), [], []));
        Assert.Equal(first.Values.ToDictionary(p => p.Key, p => Text(p.Value)), second.Values.ToDictionary(p => p.Key, p => Text(p.Value)));
        Assert.Equivalent(first.Config, second.Config, strict: true);
        Assert.All(second.Values.Values.Where(entry => !ConfigKeys.All.Any(leaf => leaf.IsOptional && leaf.Path == entry.Path)),
            entry => Assert.StartsWith(file, entry.Origin));
    }

    private static string Text(ConfigValue entry) => entry.IsList ? entry.Text.Replace(" ", "") : entry.Text.Replace(", ", ",");

    private static ResolvedConfig Resolve(params string[] sets) =>
        ConfigResolver.Resolve(new ConfigSources([], new Dictionary<string, string>(), sets, []));
}
