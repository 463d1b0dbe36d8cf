using System.Text.RegularExpressions;
using Rpat.Robust.Methods;

namespace Rpat.Tests.Trainer.Cli;

public sealed class ConfigCommandTests : IDisposable
{
    private readonly TestHost _test = new(("RPAT__TRAIN__BATCH", "7"));

    public void Dispose() => _test.Dispose();

    [Fact]
    public void ShowNamesTheOriginOfEachValue()
    {
        string file = _test.Write("my.yaml", "train:\n  epochs: 2\n");
        Assert.Equal(0, _test.Run("config", "show", "-c", file, "--set", "train.seed=5", "--lr", "0.2"));
        Assert.Matches($"epochs: 2 +# {file}:2\n", _test.Out);
        Assert.Matches("batch: 7 +# environment RPAT__TRAIN__BATCH\n", _test.Out);
        Assert.Matches("seed: 5 +# --set\n", _test.Out);
        Assert.Matches("lr: 0.2 +# --lr\n", _test.Out);
        Assert.Empty(_test.Error);
    }

    // What config show prints is what train takes.
    [Theory]
    [InlineData("110", "piecewise", "pgd-at", "data=fashion-mnist")]
    [InlineData("110", "piecewise", "trades", "data=fashion-mnist", "method=trades", "attack.norm=l2")]
    [InlineData("5", "piecewise", "trades", "data=fashion-mnist", "method=trades", "train.epochs=5")]
    [InlineData("3", "cosine", "trades", "method=trades")]
    public void ADataSetWithoutARecipeHasPgdAtsSettings(string epochs, string schedule, string method, params string[] sets)
    {
        Assert.Equal(0, _test.Run(["config", "show", .. sets.SelectMany(set => new[] { "--set", set })]));
        string origin = epochs switch { "110" => "PGD-AT's defaults", "5" => "--set", _ => "default" };
        Assert.Matches($"  epochs: {epochs} +# {origin}\n", _test.Out);
        Assert.Matches($"  kind: {schedule} ", _test.Out);
        Assert.Matches($"  name: {method} ", _test.Out);
        Assert.Matches($"    flip: {(epochs == "3" ? "false" : "true")} ", _test.Out);
        Assert.Matches($"  eps: {(sets.Contains("attack.norm=l2") ? "128/255" : "8/255")} ", _test.Out);
    }

    [Fact]
    public void CheckLooksAtEachFileAlone()
    {
        string good = _test.Write("good.yaml", "train:\n  epochs: 2\n"), bad = _test.Write("bad.yaml", "\ntrain:\n  epohcs: 2\n");
        Assert.Equal(0, _test.Run("config", "check", good));
        Assert.Equal(2, _test.Run("config", "check", bad, good));
        Assert.Equal($"{good}: ok\n{good}: ok\n", _test.Out);
        Assert.StartsWith($"rpat: unknown key 'train.epohcs' ({bad}:3): did you mean 'train.epochs'?", _test.Error);
    }

    [Fact]
    public void TheSchemaHasEveryKeyWithItsKind()
    {
        var (keys, methods) = (ConfigKeys.All, MethodCatalog.All); // other tests register some
        Assert.Equal(0, _test.Run("config", "schema"));
        using var schema = JsonDocument.Parse(_test.Out);
        foreach (var leaf in keys)
            Assert.Equal(leaf.Doc, Find(schema.RootElement, leaf.Path).GetProperty("description").GetString());
        foreach (var (method, setting) in methods.SelectMany(method => method.Settings, (method, setting) => (method, setting)))
            Assert.Matches($"(^|; |: ){Regex.Escape(setting.About)}(; |$)",
                Find(schema.RootElement, $"method.{setting.Name}").GetProperty("description").GetString());
        Assert.Contains("; te: first epoch with the table, counted from 1; empty",
            Find(schema.RootElement, "method.start").GetProperty("description").GetString());
        Assert.Equal("integer", Find(schema.RootElement, "train.epochs").GetProperty("type").GetString());
        Assert.Equal("boolean", Find(schema.RootElement, "optimizer.nesterov").GetProperty("type").GetString());
        Assert.Equal("linf", Find(schema.RootElement, "attack.norm").GetProperty("enum")[0].GetString());
        Assert.Equal("array", Find(schema.RootElement, "schedule.milestones").GetProperty("anyOf")[0].GetProperty("type").GetString());
        Assert.False(schema.RootElement.GetProperty("properties").GetProperty("train").GetProperty("additionalProperties").GetBoolean());
    }

    // A section with a shorthand stands under anyOf beside the string.
    private static JsonElement Find(JsonElement schema, string path)
    {
        foreach (string name in path.Split('.'))
        {
            if (schema.TryGetProperty("anyOf", out var choices)) schema = choices[0];
            schema = schema.GetProperty("properties").GetProperty(name);
        }

        return schema;
    }
}
