using Rpat.Robust.Methods;
using YamlDotNet.RepresentationModel;

namespace Rpat.Training.Config;

/// <summary>A recipe: what it is put together from.</summary>
/// <param name="Name">Its name.</param>
/// <param name="About">What it is, in one line.</param>
/// <param name="Blocks">Protocol and blocks, from low to high.</param>
/// <param name="Values">What it sets itself: the method, and values that no block has.</param>
/// <param name="Needs">Recipes that must be trained first, by the key that wants their run folder.</param>
internal sealed record Recipe(
    string Name, string About, IReadOnlyList<string> Blocks, IReadOnlyList<Entry> Values, IReadOnlyDictionary<string, string> Needs);

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
        Entry Own(ConfigKey key, string text) => new(key.Path, text, IsList: false, origin);
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

    // {data} is the combination's name, {data.title} what people call it.
    private static string Filled(string template, Dictionary<string, string> variables)
    {
        foreach (var (variable, value) in variables)
            template = template.Replace($"{{{variable}}}", value, StringComparison.Ordinal)
                .Replace($"{{{variable}.title}}", variable == "method" ? MethodTitle(value) : TitleOf(value), StringComparison.Ordinal);
        return template;
    }

    private static string TitleOf(string block) => RecipeBlocks.All.TryGetValue(block, out var known) ? known.Title : block;

    private static string MethodTitle(string method)
    {
        string plain = MethodCatalog.BaseName(method), title = RecipeBlocks.TextOf(RecipeBlocks.MapOf(_file, "titles"), plain, plain);
        return plain == method ? title : title + " + RPAT";
    }
}
