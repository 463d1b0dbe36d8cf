using Rpat.Robust.Methods;

namespace Rpat.Training.Config;

/// <summary>A configuration with the origin of each of its values.</summary>
internal sealed record ResolvedConfig(TrainerConfig Config, IReadOnlyDictionary<string, ConfigValue> Values)
{
    /// <summary>The same with another value of one key.</summary>
    /// <exception cref="Errors.ConfigException">It is not such a value.</exception>
    public ResolvedConfig With(ConfigKey key, string text, string origin) =>
        ConfigResolver.Resolve([new ConfigLayer("all", Values),
        new ConfigLayer(origin, new Dictionary<string, ConfigValue> { [key.Path] = new(key.Path, text, key.IsList, origin) })]);
}

/// <summary>What the user gave, before it is resolved.</summary>
/// <param name="Files">Configuration files, in order.</param>
/// <param name="Sets">Settings <c>key=value</c>.</param>
internal sealed record ConfigSources(
    IReadOnlyList<string> Files,
    IReadOnlyDictionary<string, string> Environment,
    IReadOnlyList<string> Sets,
    IReadOnlyList<(string Flag, ConfigKey Key, string Text)> Flags)
{
    /// <summary>The option that gives <see cref="Sets"/>.</summary>
    public const string Option = "--set";

    /// <summary>
    /// Whether the method that the sources name should have the perception term added; null to leave the method as it is.
    /// </summary>
    public bool? Rpat { get; init; }

    /// <summary>What the user knows <see cref="Sets"/> as.</summary>
    public string SetOrigin { get; init; } = Option;
}

/// <summary>
/// Lays the sources over each other, low to high: defaults, recipe, extended files, files in order, environment, --set, flags. The recipe
/// is the one named by the highest of the other sources; in place of one, sources that name a data set and no file have PGD-AT's settings.
/// </summary>
internal static class ConfigResolver
{
    private static string RecipeName { get; } = ConfigKeys.Of(c => c.Recipe.Name).Path;

    private static string DataName { get; } = ConfigKeys.Of(c => c.Data.Name).Path;

    private static string MethodName { get; } = ConfigKeys.Of(c => c.Method.Name).Path;

    /// <summary>Resolves, types and checks.</summary>
    /// <param name="run">The configuration of the run to resume, which replaces the defaults; null for a new one.</param>
    /// <exception cref="Errors.ConfigException">Any key or value is wrong.</exception>
    public static ResolvedConfig Resolve(ConfigSources sources, ConfigLayer? run = null) =>
        Resolve(LayersOf(sources, run), sources.Rpat);

    /// <summary>
    /// The same for sources that something else completes, such as the run to resume: each value is checked by itself, and not whether they
    /// fit each other.
    /// </summary>
    /// <exception cref="Errors.ConfigException">A key or value is wrong by itself.</exception>
    public static ResolvedConfig Partial(ConfigSources sources) => Resolve(LayersOf(sources, null), sources.Rpat, isWhole: false);

    private static IEnumerable<ConfigLayer> LayersOf(ConfigSources sources, ConfigLayer? run)
    {
        var files = sources.Files.Select(Layers.File).ToList();
        List<ConfigLayer> given =
        [
            .. files.Select(Layers.Extended).OfType<ConfigLayer>(),
            .. files,
            Layers.Environment(sources.Environment),
            Layers.Sets(sources.Sets, sources.SetOrigin),
            Layers.Flags(sources.Flags),
        ];
        List<ConfigLayer> beneath = run is null ? [Layers.Defaults()] : [Layers.Defaults(), run];
        if (Highest(given, RecipeName) is { Text.Length: > 0 } named) beneath.Add(RecipeLibrary.Layer(named.Text, named.Origin));
        else if (run is null && files.Count == 0 && Highest(given, DataName) is not null) beneath.AddRange(RecipeLibrary.PgdAt);
        return [.. beneath, .. given];
    }

    /// <summary>Lays complete layers over each other; the first must have every key.</summary>
    /// <param name="rpat">Whether the resulting method should have the perception term; null to leave it as it is.</param>
    /// <param name="isWhole">Whether the values must fit each other.</param>
    public static ResolvedConfig Resolve(IEnumerable<ConfigLayer> layers, bool? rpat = null, bool isWhole = true)
    {
        var merged = new LayerMerge();
        foreach (var layer in layers) merged.Add(layer);
        if (isWhole) merged.Check();
        var values = merged.Values;
        if (rpat is { } wanted) values[MethodName] = WithTerm(values[MethodName], wanted);
        FillIn(values);
        var config = ConfigKeys.Bind(values);
        if (isWhole) ConfigRules.Check(config, values);
        return new ResolvedConfig(config, values);
    }

    // Values that the user leaves to the method are also written: the file then has everything that a run depends on.
    private static void FillIn(Dictionary<string, ConfigValue> values)
    {
        if (MethodCatalog.Find(values[MethodName].Text) is not { } method) return;
        foreach (var key in values[MethodName].Text == method.Name ? [] : ConfigKeys.Below("method.rpat."))
            if (values[key.Path].Origin == "default")
                values[key.Path] = values[key.Path] with { Origin = $"method {values[MethodName].Text}", Source = key.Setting.Source };
        foreach (var setting in method.Settings)
        {
            string path = $"method.{setting.Name}";
            if (values[path].Text.Length == 0)
                values[path] = new ConfigValue(path, setting.Default, IsList: false, $"method {method.Name}") { Source = setting.Source };
        }
    }

    private static ConfigValue WithTerm(ConfigValue method, bool wanted)
    {
        string suffix = MethodCatalog.RpatSuffix;
        if (method.Text.EndsWith(suffix, StringComparison.Ordinal) == wanted) return method;
        return method with
        { Text = wanted ? method.Text + suffix : method.Text[..^suffix.Length], Origin = wanted ? "--rpat" : "--no-rpat" };
    }

    private static ConfigValue? Highest(IEnumerable<ConfigLayer> layers, string path) =>
        layers.Select(layer => layer.Entries.GetValueOrDefault(path)).LastOrDefault(entry => entry is not null);
}
