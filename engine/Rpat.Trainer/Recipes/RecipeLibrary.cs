using Rpat.Trainer.Config;
using Rpat.Trainer.Errors;

namespace Rpat.Trainer.Recipes;

/// <summary>The recipes that ship inside the program: YAML files with the source of each value as a comment.</summary>
internal static class RecipeLibrary
{
    private const string Prefix = "Rpat.Trainer.Recipes.";
    private const string Suffix = ".yaml";

    /// <summary>The recipes' names; the quick ones come first, and baselines after what they are the baseline of.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        .. typeof(RecipeLibrary).Assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal) && name.EndsWith(Suffix, StringComparison.Ordinal))
            .Select(name => name[Prefix.Length..^Suffix.Length])
            .OrderBy(name => !name.EndsWith("-quick", StringComparison.Ordinal))
            .ThenBy(name => YamlLayer.Read(Load(name), name).Extends is not null)
            .ThenBy(name => name, StringComparer.Ordinal),
    ];

    /// <summary>The recipe's text as it was written, comments included.</summary>
    /// <param name="origin">Where the name was written, for the error.</param>
    /// <exception cref="ConfigException">There is no such recipe; the sentence names the nearest one.</exception>
    public static string Text(string name, string origin)
    {
        if (!Names.Contains(name)) throw new ConfigException($"unknown recipe '{name}' ({origin}): {Nearest.Hint(name, Names, "recipes")}");
        return Load(name);
    }

    /// <summary>The recipe and, beneath it, the one it extends.</summary>
    /// <inheritdoc cref="Text" path="/exception"/>
    public static IReadOnlyList<Layer> Layers(string name, string origin)
    {
        var recipe = Read(name, origin);
        return recipe.Extends is not { } extends
            ? [recipe]
            : [Config.Layers.OneLevel(Read(extends.Text, extends.Origin), extends), recipe];
    }

    /// <summary>The recipe's one line about itself.</summary>
    public static string About(string name) => Read(name, "recipes").Entries.GetValueOrDefault(Keys.RecipeAbout.Path)?.Text ?? "";

    private static string Load(string name)
    {
        using var stream = typeof(RecipeLibrary).Assembly.GetManifestResourceStream(Prefix + name + Suffix)!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    private static Layer Read(string name, string origin)
    {
        var layer = YamlLayer.Read(Text(name, origin), $"recipe {name}");
        var own = new Entry(Keys.RecipeName.Path, name, IsList: false, $"recipe {name}");
        return layer with { Entries = new Dictionary<string, Entry>(layer.Entries) { [own.Path] = own } };
    }
}
