using System.Collections.Concurrent;
using Rpat.Trainer.Config;

namespace Rpat.Trainer.Recipes;

/// <summary>One YAML file of the library: a recipe, or a part of recipes.</summary>
internal sealed class RecipeFile
{
    /// <summary>How the origin of a recipe's value begins.</summary>
    public const string RecipeOrigin = "recipe ";

    /// <summary>How the origin of a part's value begins.</summary>
    public const string PartOrigin = "part ";

    private const string PublishedSection = "published:", NeedsSection = "needs:";

    private static readonly ConcurrentDictionary<string, RecipeFile> _files = new();
    private readonly string[] _lines;
    private readonly HashSet<int> _taken = []; // lines of sections that are no configuration; the rest keeps its line numbers

    private RecipeFile(string resource)
    {
        Text = Load(resource);
        _lines = Text.Split('\n');
        string published = Section(PublishedSection), needs = Section(NeedsSection);
        int slash = resource.IndexOf('/');
        string origin = (slash == "recipes".Length ? RecipeOrigin : PartOrigin) + resource[(slash + 1)..];
        Layer = YamlLayer.Read(string.Join('\n', _lines.Select((line, i) => _taken.Contains(i) ? "" : line)), origin);
        Published = published.Length == 0 ? null : PublishedResult.Read(published);
        Needs = needs.Length == 0 ? new Dictionary<string, string>() : PublishedResult.Pairs(needs);
    }

    /// <summary>The file as it was written.</summary>
    public string Text { get; }

    /// <summary>Its values.</summary>
    public Layer Layer { get; }

    /// <summary>Its section of published numbers, which is no configuration, or null.</summary>
    public PublishedResult? Published { get; }

    /// <summary>Recipes whose run folders it needs, by the key that wants the folder; no configuration either.</summary>
    public IReadOnlyDictionary<string, string> Needs { get; }

    /// <summary>Reads a resource; once.</summary>
    public static RecipeFile Read(string resource) => _files.GetOrAdd(resource, static name => new RecipeFile(name));

    /// <summary>The comment at the end of a line (from 1), or of the section that the line is in; null when neither has one.</summary>
    public string? CommentAt(int line)
    {
        int indent = IndentOf(_lines[line - 1]);
        if (CommentOf(_lines[line - 1]) is { } own) return own;
        for (int i = line - 2; i >= 0 && indent > 0; i--)
        {
            if (_lines[i].Trim().Length == 0 || _lines[i].TrimStart()[0] == '#' || IndentOf(_lines[i]) >= indent) continue;
            indent = IndentOf(_lines[i]);
            if (CommentOf(_lines[i]) is { } section) return section;
        }
        return null;
    }

    private static int IndentOf(string line) => line.Length - line.TrimStart().Length;

    private static string? CommentOf(string line)
    {
        int hash = line.IndexOf(" #", StringComparison.Ordinal);
        return hash < 0 ? null : line[(hash + 2)..].Trim();
    }

    private string Section(string title)
    {
        int first = Array.FindIndex(_lines, line => line.StartsWith(title, StringComparison.Ordinal));
        if (first < 0) return "";
        int end = Array.FindIndex(_lines, first + 1, line => line.Length > 0 && line[0] is not (' ' or '#'));
        if (end < 0) end = _lines.Length;
        _taken.UnionWith(Enumerable.Range(first, end - first));
        return string.Join('\n', _lines[(first + 1)..end]);
    }

    private static string Load(string resource)
    {
        using var stream = typeof(RecipeFile).Assembly.GetManifestResourceStream(resource + ".yaml")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }
}
