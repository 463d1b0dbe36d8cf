using Rpat.Trainer.Config;
using Rpat.Trainer.Errors;

namespace Rpat.Trainer.Recipes;

/// <summary>
/// The recipes that ship inside the program: YAML files with the source of each value as a comment. A recipe is laid together from
/// parts (a data set, a network, a schedule, a method, …) and other recipes, which <c>extends</c> lists from low to high.
/// </summary>
internal static class RecipeLibrary
{
    private const string Recipes = "recipes/", Parts = "recipe-parts/", Suffix = ".yaml", First = "fashion-quick";

    /// <summary>The recipes' names: the one to begin with, the other quick ones, then by name.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        .. NamesIn(Recipes)
            .OrderBy(name => !IsQuick(name))
            .ThenBy(name => name != First)
            .ThenBy(name => name, StringComparer.Ordinal),
    ];

    private static readonly IReadOnlyList<string> _parts = [.. NamesIn(Parts)];

    /// <summary>Whether a recipe runs in minutes on a small CPU.</summary>
    public static bool IsQuick(string name) => name.EndsWith("-quick", StringComparison.Ordinal);

    /// <summary>The recipe's text as it was written, comments included.</summary>
    /// <param name="name">The recipe.</param>
    /// <param name="origin">Where the name was written, for the error.</param>
    /// <exception cref="ConfigException">There is no such recipe; the sentence names the nearest one.</exception>
    public static string Text(string name, string origin) => RecipeFile.Read(Recipe(name, origin)).Text;

    /// <summary>Everything that the recipe is laid together from, low to high, and the recipe itself.</summary>
    /// <inheritdoc cref="Text" path="/exception"/>
    public static IReadOnlyList<Layer> Layers(string name, string origin)
    {
        var own = Entry(name);
        return [.. Files(Recipe(name, origin), []).Select(file => file.Layer), new Layer(name, new Dictionary<string, Entry> { [own.Path] = own })];
    }

    /// <summary>The recipe alone, resolved over the defaults.</summary>
    /// <inheritdoc cref="Text" path="/exception"/>
    public static ResolvedConfig Resolve(string name, string origin) => ConfigResolver.Resolve([Config.Layers.Defaults(), .. Layers(name, origin)]);

    /// <summary>The recipe's one line about itself.</summary>
    public static string About(string name) => RecipeFile.Read(Recipes + name).Layer.Entries.GetValueOrDefault(ConfigKeys.Of(c => c.Recipe.About).Path)?.Text ?? "";

    /// <summary>What was published for the recipe, or null.</summary>
    public static PublishedResult? Published(string name) => RecipeFile.Read(Recipes + name).Published;

    /// <summary>Recipes that must be trained first, by the key that wants their run folder; empty for most.</summary>
    public static IReadOnlyDictionary<string, string> Needs(string name) => RecipeFile.Read(Recipes + name).Needs;

    /// <summary>Where a value of a recipe comes from in the world, as its line's comment says; else where it was written.</summary>
    public static string SourceOf(Entry entry)
    {
        int colon = entry.Origin.LastIndexOf(':');
        string file = colon < 0 ? "" : entry.Origin[..colon];
        string? resource = file.StartsWith(RecipeFile.RecipeOrigin, StringComparison.Ordinal) ? Recipes + file[RecipeFile.RecipeOrigin.Length..]
            : file.StartsWith(RecipeFile.PartOrigin, StringComparison.Ordinal) ? Parts + file[RecipeFile.PartOrigin.Length..] : null;
        return resource is not null && int.TryParse(entry.Origin[(colon + 1)..], out int line) && RecipeFile.Read(resource).CommentAt(line) is { } comment
            ? comment
            : entry.Origin;
    }

    private static string Recipe(string name, string origin) => Names.Contains(name)
        ? Recipes + name
        : throw new ConfigException($"unknown recipe '{name}' ({origin}): {Nearest.Hint(name, Names, "recipes")}");

    private static IEnumerable<RecipeFile> Files(string resource, IReadOnlyList<string> open)
    {
        var file = RecipeFile.Read(resource);
        if (open.Contains(resource)) throw new ConfigException($"recipe '{resource}' extends itself by way of {string.Join(", ", open)}: break the circle.");
        return [.. Bases(file).SelectMany(b => Files(b, [.. open, resource])), file];
    }

    private static IEnumerable<string> Bases(RecipeFile file) => file.Layer.Extends is not { } extends
        ? []
        : Config.Entry.Items(extends.Text).Select(name => _parts.Contains(name) ? Parts + name : Recipe(name, extends.Origin));

    private static Entry Entry(string name) => new(ConfigKeys.Of(c => c.Recipe.Name).Path, name, IsList: false, $"recipe {name}");

    private static IEnumerable<string> NamesIn(string folder) =>
        from name in typeof(RecipeLibrary).Assembly.GetManifestResourceNames()
        where name.StartsWith(folder, StringComparison.Ordinal) && name.EndsWith(Suffix, StringComparison.Ordinal)
        select name[folder.Length..^Suffix.Length];
}
