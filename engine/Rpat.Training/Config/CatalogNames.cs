using Rpat.Robust.Methods;

namespace Rpat.Training.Config;

/// <summary>The names in configurations and on command lines.</summary>
internal static class CatalogNames
{
    /// <summary>Networks; a wide ResNet of any depth and width.</summary>
    public static KnownNames Models { get; } = ModelCatalog.Spellings with { Command = "rpat models", IsOpen = true };

    /// <summary>Training methods, with and without the perception term.</summary>
    public static KnownNames Methods { get; } = MethodCatalog.Spellings with { Command = "rpat methods", IsOpen = true };

    /// <summary>Attacks, with any number of steps.</summary>
    public static KnownNames Attacks { get; } = AttackCatalog.Spellings with { Command = "rpat attacks", IsOpen = true };

    /// <summary>Norms.</summary>
    public static KnownNames Norms { get; } = new("norms", () => [.. Norm.All.Select(norm => norm.Name)])
    { Short = new Dictionary<string, string> { ["inf"] = Norm.Linf.Name } };

    /// <summary>Recipes.</summary>
    public static KnownNames Recipes { get; } = new("recipes", () => RecipeLibrary.Names) { Command = "rpat recipes" };

    /// <summary>What people mean who type the name of an item, if it is in no catalog yet; null if nothing.</summary>
    public static string? Meant(INamed item) => (item switch
    {
        MethodInfo => Methods,
        AttackInfo => Attacks,
        ModelFamily => Models,
        _ => DataSets.Names,
    }).Match(item.Name);

    /// <summary>The network that a user names.</summary>
    /// <exception cref="UsageException">There is no such network.</exception>
    public static string ModelOf(string text) =>
        Models.Match(text) ?? throw UnknownModel(text);

    /// <summary>The error for a name that no network has.</summary>
    public static UsageException UnknownModel(string text) => new($"there is no model '{text}': {Models.Hint(text)}");

    /// <summary>The norm that an option names.</summary>
    /// <exception cref="UsageException">There is no such norm.</exception>
    public static Norm NormOf(string text) =>
        Norm.Parse(Norms.Match(text) ?? throw new UsageException($"--norm is '{text}': {Norms.Hint(text)}"));
}
