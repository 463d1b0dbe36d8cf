using Rpat.Trainer.Recipes;

namespace Rpat.Trainer.Config;

/// <summary>A configuration with the origin of each of its values.</summary>
/// <param name="Config">Typed and checked.</param>
/// <param name="Values">The winning entry of every key.</param>
internal sealed record ResolvedConfig(TrainerConfig Config, IReadOnlyDictionary<string, Entry> Values);

/// <summary>What the user gave, before it is resolved.</summary>
/// <param name="Files">Configuration files, in order.</param>
/// <param name="Environment">Environment variables.</param>
/// <param name="Sets">The <c>--set</c> options.</param>
/// <param name="Flags">The options that stand for one key each.</param>
internal sealed record ConfigSources(
    IReadOnlyList<string> Files,
    IReadOnlyDictionary<string, string> Environment,
    IReadOnlyList<string> Sets,
    IReadOnlyList<(string Flag, Leaf Key, string Text)> Flags);

/// <summary>
/// Lays the sources over each other, low to high: defaults, recipe, extended files, files in order, environment, --set, flags.
/// The recipe is the one that the highest of the other sources names.
/// </summary>
internal static class ConfigResolver
{
    /// <summary>Resolves, types and checks.</summary>
    /// <param name="sources">What the user gave.</param>
    /// <param name="run">The configuration of the run to go on with, which takes the place of the defaults; null for a new one.</param>
    /// <exception cref="Errors.ConfigException">Any key or value is wrong.</exception>
    public static ResolvedConfig Resolve(ConfigSources sources, Layer? run = null)
    {
        var files = sources.Files.Select(Layers.File).ToList();
        List<Layer> given =
        [
            .. files.Select(Layers.Extended).OfType<Layer>(),
            .. files,
            Layers.Environment(sources.Environment),
            Layers.Sets(sources.Sets),
            Layers.Flags(sources.Flags),
        ];
        Layer[] beneath = run is null ? [Layers.Defaults()] : [Layers.Defaults(), run];
        return Resolve([.. beneath, .. RecipeLayers(given), .. given]);
    }

    /// <summary>Lays complete layers over each other; the first must have every key.</summary>
    public static ResolvedConfig Resolve(IEnumerable<Layer> layers)
    {
        var values = new Dictionary<string, Entry>();
        foreach (var (path, entry) in layers.SelectMany(layer => layer.Entries)) values[path] = entry;
        var config = ConfigBinder.Bind(values);
        ConfigRules.Check(config, values);
        return new ResolvedConfig(config, values);
    }

    private static IReadOnlyList<Layer> RecipeLayers(IEnumerable<Layer> given)
    {
        var named = given.Select(layer => layer.Entries.GetValueOrDefault(Keys.RecipeName.Path)).LastOrDefault(entry => entry is not null);
        return named is null or { Text: "" } ? [] : RecipeLibrary.Layers(named.Text, named.Origin);
    }
}
