using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.RepresentationModel;

namespace Rpat.Training.Config;

/// <summary>Reads one YAML (or JSON) text into a layer. Values stay text; each has its line.</summary>
internal sealed class YamlLayer
{
    private const int MostDepth = 16;

    private readonly string _source;
    private readonly Dictionary<string, ConfigValue> _entries = [];
    private readonly bool _takesAny;
    private ConfigValue? _extends;

    private YamlLayer(string source, bool takesAny) => (_source, _takesAny) = (source, takesAny);

    /// <summary>Reads a configuration.</summary>
    /// <param name="text">YAML with one mapping at the top; an empty text is an empty layer.</param>
    /// <param name="source">What errors and comments call it, such as <c>my.yaml</c>.</param>
    /// <param name="takesAny">Whether unknown keys are taken as they are, such as those of a method that only a plugin has.</param>
    /// <exception cref="ConfigException">The text is not YAML, or a key is unknown or given twice.</exception>
    public static ConfigLayer Read(string text, string source, bool takesAny = false)
    {
        var layer = new YamlLayer(source, takesAny);
        if (Root(text, source) is { } root) layer.Walk(root, "");
        return new ConfigLayer(source, layer._entries, layer._extends);
    }

    private static YamlMappingNode? Root(string text, string source)
    {
        var stream = new YamlStream();
        try
        {
            RequireFlat(text, source);
            stream.Load(new StringReader(text));
        }
        catch (Exception error) when (error is not (UserException or OutOfMemoryException))
        {
            // Damaged texts make the parser throw more than format errors.
            string where = error is YamlException { Start.Line: var line } ? FormattableString.Invariant($"{source}:{line}") : source;
            string kind = IsJson(source) ? "JSON" : "YAML";
            throw new ConfigException($"{where} is not valid {kind}: {(error.InnerException ?? error).Message.TrimEnd('.')}.", error);
        }

        if (stream.Documents.Count == 0) return null;
        return stream.Documents[0].RootNode switch
        {
            _ when stream.Documents.Count > 1 => throw new ConfigException($"{source} holds several YAML documents: keep one."),
            YamlMappingNode mapping => mapping,
            YamlScalarNode { Value: null or "" } => null,
            _ => throw new ConfigException($"{source} holds no keys: write lines such as 'train:' and, indented, 'epochs: 3'."),
        };
    }

    // A short text can nest deeper than the stack, or expand to more than memory by repeating aliases: keys do neither.
    private static void RequireFlat(string text, string source)
    {
        var parser = new Parser(new StringReader(text));
        for (int depth = 0; parser.MoveNext();)
        {
            ParsingEvent at = parser.Current!;
            depth += at.NestingIncrease;
            string where = FormattableString.Invariant($"{source}:{at.Start.Line}");
            if (depth > MostDepth)
                throw new ConfigException($"{where} nests deeper than any key: write lines such as 'train:' and, indented, 'epochs: 3'.");
            if (at is AnchorAlias alias) throw new ConfigException($"{where} has the alias '*{alias.Value}': write the value out.");
        }
    }

    private void Walk(YamlMappingNode mapping, string prefix)
    {
        foreach (var (key, value) in mapping.Children)
        {
            if (key is not YamlScalarNode { Value: { } name }) throw new ConfigException($"{At(key)} has a key that is no plain name.");
            if (IsJson(_source) && name.StartsWith("//", StringComparison.Ordinal))
                throw new ConfigException($"{At(key)} has a comment, which JSON does not know: remove it, or write YAML.");
            Visit(prefix + name, key, value);
        }
    }

    private void Visit(string path, YamlNode key, YamlNode value)
    {
        switch (value)
        {
            case YamlMappingNode section when Schema.IsSection(path) || _takesAny:
                if (path == "method" && !_takesAny) RequireMethod(section);
                Walk(section, path + '.');
                break;
            case YamlMappingNode:
                throw Schema.IsKey(path)
                    ? new ConfigException($"{path} ({At(key)}) wants a value, not keys.")
                    : Schema.Unknown(path, At(key));
            case YamlSequenceNode list:
                Add(path, key, string.Join(", ", list.Children.Select(Item)), isList: true);
                break;
            case YamlScalarNode empty when Text(empty).Length == 0 && Schema.IsSection(path):
                break;
            case YamlScalarNode scalar:
                Add(path, key, Text(scalar), isList: false);
                break;
        }
    }

    // The keys of a method that is not known are not known either, which says less.
    private void RequireMethod(YamlMappingNode section)
    {
        var name = ConfigKeys.Of(c => c.Method.Name);
        foreach (var (key, value) in section.Children)
            if (key is YamlScalarNode { Value: "name" } && value is YamlScalarNode { Value: { Length: > 0 } text })
                name.Set(new TrainerConfig(), name.Canonical(new(name.Path, text, IsList: false, At(key))));
    }

    private string Item(YamlNode node) => node is YamlScalarNode scalar
        ? Text(scalar)
        : throw new ConfigException($"{At(node)} has a list in a list: write plain values.");

    private static string Text(YamlScalarNode scalar) =>
        scalar is { Style: ScalarStyle.Plain, Value: "~" or "null" or "Null" or "NULL" } ? "" : scalar.Value ?? "";

    private void Add(string path, YamlNode key, string text, bool isList)
    {
        var entry = new ConfigValue(path, text, isList, At(key));
        if (path == Schema.Extends)
        {
            _extends = entry;
            return;
        }

        string full = _takesAny && Schema.IsUnknown(path) ? path : Schema.Find(path, entry.Origin).Path;
        if (!_entries.TryAdd(full, entry with { Path = full }))
        {
            throw new ConfigException($"{full} stands twice, in {_entries[full].Origin} and {entry.Origin}: remove one.");
        }
    }

    private static bool IsJson(string source) => source.EndsWith(".json", StringComparison.OrdinalIgnoreCase);

    private string At(YamlNode node) => FormattableString.Invariant($"{_source}:{node.Start.Line}");
}
