using Rpat.Robust.Methods;
using YamlDotNet.RepresentationModel;

namespace Rpat.Training.Config;

/// <summary>
/// The recipes that ship inside the program. Each is one layer over the defaults, whose values record the block that they come from and
/// their published source.
/// </summary>
internal static class RecipeLibrary
{
    /// <summary>The origin of the values of <see cref="PgdAt"/>.</summary>
    public const string PgdAtOrigin = "PGD-AT's defaults";

    private const string First = "fashion-quick";

    private static readonly Dictionary<string, Recipe> _recipes = RecipeRows.All().ToDictionary(recipe => recipe.Name);

    private static readonly Dictionary<string, PublishedResult> _published = PublishedResult.All.ToDictionary(RecipeRows.NameOf);

    /// <summary>The recipes' names: the one to start with, the other quick ones, then the rest by name.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        .. _recipes.Keys
            .OrderBy(name => !IsQuick(name))
            .ThenBy(name => name != First)
            .ThenBy(name => name, StringComparer.Ordinal),
    ];

    /// <summary>Whether a recipe runs in minutes on a small CPU.</summary>
    public static bool IsQuick(string name) => name.EndsWith("-quick", StringComparison.Ordinal);

    /// <summary>The recipe's own row: its parts, and the values that it sets itself.</summary>
    /// <exception cref="ConfigException">There is no such recipe; the message names the nearest one.</exception>
    public static Recipe Find(string name, string origin) => CatalogNames.Recipes.Match(name) is { } known
        ? _recipes[known]
        : throw new ConfigException($"unknown recipe '{name}' ({origin}): {Hint(name)}");

    // A data set's name alone is meant as the paper's training on it.
    private static string Hint(string name) =>
        Names.FirstOrDefault(known => known.StartsWith(name + "-", StringComparison.Ordinal)
            && known.EndsWith("-rpat-linf", StringComparison.Ordinal)) is { } usual
            ? $"did you mean '{usual}'? ('{CatalogNames.Recipes.Command}' lists all)" : CatalogNames.Recipes.Hint(name);

    /// <summary>All that the recipe sets.</summary>
    /// <inheritdoc cref="Find" path="/exception"/>
    public static ConfigLayer Layer(string name, string origin)
    {
        var recipe = Find(name, origin);
        var values = new Dictionary<string, ConfigValue>();
        var blocks = recipe.Blocks.SelectMany(block => RecipeBlocks.All[block].Layer.Entries.Values,
            (block, entry) => entry with { Origin = $"recipe {recipe.Name} ({block})" });
        foreach (var entry in blocks.Concat(recipe.Values)) values[entry.Path] = entry;
        return new ConfigLayer(recipe.Name, values);
    }

    /// <summary>The recipe alone, resolved over the defaults.</summary>
    /// <inheritdoc cref="Find" path="/exception"/>
    public static ResolvedConfig Resolve(string name, string origin) => ConfigResolver.Resolve([Layers.Defaults(), Layer(name, origin)]);

    /// <summary>How the official code trains PGD-AT, whatever the data set and the network are; under L∞.</summary>
    public static IReadOnlyList<ConfigLayer> PgdAt { get; } =
    [
        .. from part in new[]
           {
               RecipeBlocks.All["benchmarks"].Layer.Entries.Values, RecipeBlocks.All["linf"].Layer.Entries.Values,
               [new ConfigValue(ConfigKeys.Of(c => c.Method.Name).Path, "pgd-at", IsList: false, "")],
           }
           select new ConfigLayer("pgd-at", part.ToDictionary(entry => entry.Path, entry => entry with { Origin = PgdAtOrigin })),
    ];

    /// <summary>The recipe's one line about itself.</summary>
    public static string About(string name) => _recipes[name].About;

    /// <summary>What was published for the recipe, or null.</summary>
    public static PublishedResult? Published(string name) => _published.GetValueOrDefault(name);

    /// <summary>Recipes that must be trained first, by the key that refers to their run folder; empty for most.</summary>
    public static IReadOnlyDictionary<string, string> Needs(string name) => _recipes[name].Needs;

    /// <summary>The published source of a recipe's value, if known; otherwise where it was written.</summary>
    public static string SourceOf(ConfigValue entry) => entry.Source ?? entry.Origin;
}

/// <summary>A recipe: the parts that it is composed of.</summary>
/// <param name="About">What it is, in one line.</param>
/// <param name="Values">What it sets itself: the method, and values that no block has.</param>
/// <param name="Needs">Recipes that must be trained first, by the key that refers to their run folder.</param>
internal sealed record Recipe(
    string Name, string About, IReadOnlyList<string> Blocks, IReadOnlyList<ConfigValue> Values, IReadOnlyDictionary<string, string> Needs);

/// <summary>Makes the recipes from the rows of recipes.yaml and published.csv.</summary>
internal static class RecipeRows
{
    private static readonly YamlMappingNode _file = RecipeBlocks.Read("recipes");
    private static readonly YamlMappingNode _published = RecipeBlocks.MapOf(_file, "published");
    private static readonly YamlMappingNode _methods = RecipeBlocks.MapOf(_published, "methods");

    /// <summary>All recipes.</summary>
    public static IEnumerable<Recipe> All() =>
    [
        .. ((YamlSequenceNode)_file["rows"]).Children.Cast<YamlMappingNode>().SelectMany(Expand),
        .. PublishedResult.All.Where(row => _methods.Children.ContainsKey(row.Method)).Select(Of),
    ];

    /// <summary>The recipe that a published row is of.</summary>
    public static string NameOf(PublishedResult row) => $"{row.Data}-{row.Net}-{LabelOf(row.Method)}-{row.Norm}";

    private static string LabelOf(string method) => _methods.Children.TryGetValue(method, out var node)
        ? RecipeBlocks.TextOf((YamlMappingNode)node, "label", RecipeBlocks.TextOf((YamlMappingNode)node, "method"))
        : method.ToLowerInvariant().Replace(" + ", "+", StringComparison.Ordinal);

    private static IEnumerable<Recipe> Expand(YamlMappingNode row)
    {
        IEnumerable<Dictionary<string, string>> combinations = [[]];
        foreach (var variable in RecipeBlocks.MapOf(row, "each").Children.Keys.Cast<YamlScalarNode>().Select(key => key.Value!))
            combinations = combinations.SelectMany(
                one => RecipeBlocks.ListOf(RecipeBlocks.MapOf(row, "each"), variable).Select(
                    value => new Dictionary<string, string>(one) { [variable] = value }));
        return combinations.Select(combination => Of(row, combination));
    }

    private static Recipe Of(YamlMappingNode row, Dictionary<string, string> variables)
    {
        string name = Filled(RecipeBlocks.TextOf(row, "name"), variables);
        string method = variables.GetValueOrDefault("method", RecipeBlocks.TextOf(row, "method"));
        return Make(
            name, Filled(RecipeBlocks.TextOf(row, "about"), variables), method,
            [.. RecipeBlocks.ListOf(row, "from").Select(block => Filled(block, variables))],
            row, variables);
    }

    private static Recipe Of(PublishedResult row)
    {
        var method = (YamlMappingNode)_methods[row.Method];
        string label = LabelOf(row.Method);
        string[] special = [.. new[] { $"{label}/{row.Net}", $"{label}/{row.Data}" }.Where(RecipeBlocks.All.ContainsKey)];
        string[] blocks =
            [.. RecipeBlocks.ListOf(_published, "from"), row.Data, row.Net, row.Norm, .. RecipeBlocks.ListOf(method, "from"), .. special];
        string about = $"{row.Method} ({row.Venue}) on {TitleOf(row.Data)}, {TitleOf(row.Net)}, {TitleOf(row.Norm)}";
        return Make(
            NameOf(row), about, RecipeBlocks.TextOf(method, "method"), blocks, method,
            new Dictionary<string, string> { ["data"] = row.Data, ["net"] = row.Net });
    }

    private static Recipe Make(
        string name, string about, string method, IReadOnlyList<string> blocks, YamlMappingNode row, Dictionary<string, string> variables)
    {
        string origin = $"recipe {name}";
        ConfigValue Own(ConfigKey key, string text) => new(key.Path, text, IsList: false, origin);
        return new Recipe(
            name, about, blocks,
            [
                Own(ConfigKeys.Of(c => c.Recipe.Name), name), Own(ConfigKeys.Of(c => c.Recipe.About), about),
                Own(ConfigKeys.Of(c => c.Method.Name), method),
                .. RecipeBlocks.Entries(RecipeBlocks.MapOf(row, "values"), origin, null),
            ],
            RecipeBlocks.MapOf(row, "needs").Children.ToDictionary(
                pair => ((YamlScalarNode)pair.Key).Value!, pair => Filled(((YamlScalarNode)pair.Value).Value!, variables)));
    }

    // {data} is the combination's name, {data.title} its display name.
    private static string Filled(string template, Dictionary<string, string> variables)
    {
        foreach (var (variable, value) in variables)
            template = template.Replace($"{{{variable}}}", value, StringComparison.Ordinal)
                .Replace($"{{{variable}.title}}", variable == "method" ? MethodTitle(value) : TitleOf(value), StringComparison.Ordinal);
        return template;
    }

    private static string TitleOf(string block) => RecipeBlocks.All.TryGetValue(block, out var known) ? known.Title : block;

    /// <summary>A method's name in print, such as <c>PGD-AT + RPAT</c>.</summary>
    public static string MethodTitle(string method)
    {
        string plain = MethodCatalog.BaseName(method), title = RecipeBlocks.TextOf(RecipeBlocks.MapOf(_file, "titles"), plain, plain);
        return plain == method ? title : title + " + RPAT";
    }
}

/// <summary>Values that recipes share, each with its source: a data set, a network, a threat model, a protocol.</summary>
internal sealed record RecipeBlock(string Title, ConfigLayer Layer);

/// <summary>The YAML files inside the program from which recipes are composed.</summary>
internal static class RecipeBlocks
{
    private const string Folder = "recipes/", Protocol = "protocols/", Suffix = ".yaml";

    /// <summary>Protocols and blocks by name.</summary>
    public static IReadOnlyDictionary<string, RecipeBlock> All { get; } = Protocols().Concat(Blocks()).ToDictionary(block =>
        block.Layer.Name);

    /// <summary>A file's root.</summary>
    public static YamlMappingNode Read(string file)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(Text(file + Suffix)));
        return (YamlMappingNode)stream.Documents[0].RootNode;
    }

    /// <summary>A file as it was written.</summary>
    public static string Text(string file)
    {
        using var stream = typeof(RecipeBlocks).Assembly.GetManifestResourceStream(Folder + file)!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }

    /// <summary>Values as <c>key: value</c>, or as <c>key: {is: value, from: source}</c>.</summary>
    /// <param name="source">The source of those without their own; null if unknown.</param>
    public static IEnumerable<ConfigValue> Entries(YamlMappingNode values, string origin, string? source) =>
        from pair in values.Children
        let path = Scalar(pair.Key)
        let detailed = pair.Value as YamlMappingNode
        let value = detailed is null ? pair.Value : detailed["is"]
        select Written(Schema.Find(path, origin).Path, value, origin) with
        { Source = detailed is null ? source : Scalar(detailed["from"]) };

    /// <summary>A key's text, or the fallback.</summary>
    public static string TextOf(YamlMappingNode node, string key, string otherwise = "") =>
        node.Children.TryGetValue(key, out var value) ? Scalar(value) : otherwise;

    /// <summary>A key's list; empty if absent.</summary>
    public static IEnumerable<string> ListOf(YamlMappingNode node, string key) =>
        node.Children.TryGetValue(key, out var list) ? ((YamlSequenceNode)list).Children.Select(Scalar) : [];

    /// <summary>A key's mapping; empty if absent.</summary>
    public static YamlMappingNode MapOf(YamlMappingNode node, string key) =>
        node.Children.TryGetValue(key, out var map) ? (YamlMappingNode)map : new YamlMappingNode();

    private static ConfigValue Written(string path, YamlNode value, string origin) => value is YamlSequenceNode list
        ? new ConfigValue(path, string.Join(", ", list.Children.Select(Scalar)), IsList: true, origin)
        : new ConfigValue(path, Scalar(value), IsList: false, origin);

    private static string Scalar(YamlNode node) => ((YamlScalarNode)node).Value ?? "";

    private static IEnumerable<RecipeBlock> Blocks() =>
        Read("blocks").Children.Select(pair => Block(Scalar(pair.Key), $"{Scalar(pair.Key)}'s usual", (YamlMappingNode)pair.Value));

    private static IEnumerable<RecipeBlock> Protocols() =>
        from resource in typeof(RecipeBlocks).Assembly.GetManifestResourceNames()
        where resource.StartsWith(Folder + Protocol, StringComparison.Ordinal)
        let name = resource[(Folder + Protocol).Length..^Suffix.Length]
        select Block(name, $"protocol {name}", Read(Protocol + name));

    private static RecipeBlock Block(string name, string origin, YamlMappingNode node)
    {
        var entries = Entries(MapOf(node, "values"), origin, node.Children.ContainsKey("from") ? TextOf(node, "from") : null);
        return new RecipeBlock(TextOf(node, "title", name), new ConfigLayer(name, entries.ToDictionary(entry => entry.Path)));
    }
}
