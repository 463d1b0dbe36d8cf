namespace Rpat.Training.Config;

/// <summary>
/// The recipes that ship inside the program. Each is laid over the defaults as one layer, whose values know the block that they are from and
/// their source in the world.
/// </summary>
internal static class RecipeLibrary
{
    private const string First = "fashion-quick";

    private static readonly Dictionary<string, Recipe> _recipes = RecipeRows.All().ToDictionary(recipe => recipe.Name);

    private static readonly Dictionary<string, PublishedResult> _published = PublishedResult.All.ToDictionary(RecipeRows.NameOf);

    /// <summary>The recipes' names: the one to begin with, the other quick ones, then by name.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        .. _recipes.Keys
            .OrderBy(name => !IsQuick(name))
            .ThenBy(name => name != First)
            .ThenBy(name => name, StringComparer.Ordinal),
    ];

    /// <summary>Whether a recipe runs in minutes on a small CPU.</summary>
    public static bool IsQuick(string name) => name.EndsWith("-quick", StringComparison.Ordinal);

    /// <summary>The recipe's own row: what it is put together from, and what it sets itself.</summary>
    /// <param name="name">The recipe.</param>
    /// <param name="origin">Where the name was written, for the error.</param>
    /// <exception cref="ConfigException">There is no such recipe; the sentence names the nearest one.</exception>
    public static Recipe Find(string name, string origin) => _recipes.TryGetValue(name, out var recipe)
        ? recipe
        : throw new ConfigException($"unknown recipe '{name}' ({origin}): {Nearest.Hint(name, Names, "recipes")}");

    /// <summary>All that the recipe sets.</summary>
    /// <inheritdoc cref="Find" path="/exception"/>
    public static Layer Layer(string name, string origin)
    {
        var recipe = Find(name, origin);
        var values = new Dictionary<string, Entry>();
        var blocks = recipe.Blocks.SelectMany(block => RecipeBlocks.All[block].Layer.Entries.Values);
        foreach (var entry in blocks.Concat(recipe.Values)) values[entry.Path] = entry;
        return new Layer(name, values);
    }

    /// <summary>The recipe alone, resolved over the defaults.</summary>
    /// <inheritdoc cref="Find" path="/exception"/>
    public static ResolvedConfig Resolve(string name, string origin) => ConfigResolver.Resolve([Layers.Defaults(), Layer(name, origin)]);

    /// <summary>The recipe's one line about itself.</summary>
    public static string About(string name) => _recipes[name].About;

    /// <summary>What was published for the recipe, or null.</summary>
    public static PublishedResult? Published(string name) => _published.GetValueOrDefault(name);

    /// <summary>Recipes that must be trained first, by the key that wants their run folder; empty for most.</summary>
    public static IReadOnlyDictionary<string, string> Needs(string name) => _recipes[name].Needs;

    /// <summary>Where a value of a recipe comes from in the world, if that is known; else where it was written.</summary>
    public static string SourceOf(Entry entry) => entry.Source ?? entry.Origin;
}
