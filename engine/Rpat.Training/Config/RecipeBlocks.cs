using YamlDotNet.RepresentationModel;

namespace Rpat.Training.Config;

/// <summary>Values that recipes share, each with its source: a data set, a network, a threat model, a protocol.</summary>
/// <param name="Title">What people call it.</param>
/// <param name="Layer">The values.</param>
internal sealed record RecipeBlock(string Title, Layer Layer);

/// <summary>The YAML files inside the program from which recipes are put together.</summary>
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
    /// <param name="values">The keys.</param>
    /// <param name="origin">Where they are written, for people.</param>
    /// <param name="source">Where those without a source of their own come from; null where nothing is known.</param>
    public static IEnumerable<Entry> Entries(YamlMappingNode values, string origin, string? source) =>
        from pair in values.Children
        let path = Scalar(pair.Key)
        let detailed = pair.Value as YamlMappingNode
        let value = detailed is null ? pair.Value : detailed["is"]
        select Written(Schema.Find(path, origin).Path, value, origin) with { Source = detailed is null ? source : Scalar(detailed["from"]) };

    /// <summary>A key's text, or the fallback.</summary>
    public static string TextOf(YamlMappingNode node, string key, string otherwise = "") =>
        node.Children.TryGetValue(key, out var value) ? Scalar(value) : otherwise;

    /// <summary>A key's list; empty where it is not there.</summary>
    public static IEnumerable<string> ListOf(YamlMappingNode node, string key) =>
        node.Children.TryGetValue(key, out var list) ? ((YamlSequenceNode)list).Children.Select(Scalar) : [];

    /// <summary>A key's mapping; empty where it is not there.</summary>
    public static YamlMappingNode MapOf(YamlMappingNode node, string key) =>
        node.Children.TryGetValue(key, out var map) ? (YamlMappingNode)map : new YamlMappingNode();

    private static Entry Written(string path, YamlNode value, string origin) => value is YamlSequenceNode list
        ? new Entry(path, string.Join(", ", list.Children.Select(Scalar)), IsList: true, origin)
        : new Entry(path, Scalar(value), IsList: false, origin);

    private static string Scalar(YamlNode node) => ((YamlScalarNode)node).Value ?? "";

    private static IEnumerable<RecipeBlock> Blocks() =>
        Read("blocks").Children.Select(pair => Block(Scalar(pair.Key), "block " + Scalar(pair.Key), (YamlMappingNode)pair.Value));

    private static IEnumerable<RecipeBlock> Protocols() =>
        from resource in typeof(RecipeBlocks).Assembly.GetManifestResourceNames()
        where resource.StartsWith(Folder + Protocol, StringComparison.Ordinal)
        let name = resource[(Folder + Protocol).Length..^Suffix.Length]
        select Block(name, "protocol " + name, Read(Protocol + name));

    private static RecipeBlock Block(string name, string origin, YamlMappingNode node)
    {
        var entries = Entries(MapOf(node, "values"), origin, node.Children.ContainsKey("from") ? TextOf(node, "from") : null);
        return new RecipeBlock(TextOf(node, "title", name), new Layer(name, entries.ToDictionary(entry => entry.Path)));
    }
}
