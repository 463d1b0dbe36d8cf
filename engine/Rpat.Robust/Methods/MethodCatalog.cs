using System.Reflection;
using Rpat.Robust.Modifiers;

namespace Rpat.Robust.Methods;

/// <summary>Every training method by name.</summary>
public static class MethodCatalog
{
    /// <summary>Appended to a method's name for RPAT on top of it.</summary>
    public const string RpatSuffix = RobustPerception.NameSuffix;

    /// <summary>Where <see cref="Catalog.Register"/> adds methods.</summary>
    internal static Catalog<MethodInfo> Catalog { get; } = new("a method", Find(typeof(MethodCatalog).Assembly));

    /// <summary>All methods, without the suffixed ones: the library's own by name, then those of other assemblies.</summary>
    public static IReadOnlyList<MethodInfo> All => Catalog.All;

    /// <summary>All names, with the suffix where the method supports it.</summary>
    public static IReadOnlyList<string> Names => [.. All.SelectMany(m => m.TakesRpat ? new[] { m.Name, m.Name + RpatSuffix } : [m.Name])];

    /// <summary>The names as papers and other code spell them.</summary>
    public static KnownNames Spellings { get; } = new("methods", () => Names)
    { Short = new Dictionary<string, string> { ["rpat"] = "pgd-at" + RpatSuffix, ["at"] = "pgd-at" } };

    /// <summary>The method of a name, with or without the suffix; null if there is none.</summary>
    public static MethodInfo? Find(string name)
    {
        bool rpat = name.EndsWith(RpatSuffix, StringComparison.Ordinal);
        var method = Catalog.Find(BaseName(name));
        return rpat && method is { TakesRpat: false } ? null : method;
    }

    /// <summary>A method's name without the suffix.</summary>
    public static string BaseName(string name) => name.EndsWith(RpatSuffix, StringComparison.Ordinal) ? name[..^RpatSuffix.Length] : name;

    /// <summary>The methods that the types of an assembly declare, by name.</summary>
    public static IReadOnlyList<MethodInfo> Find(Assembly assembly) =>
        [.. Nn.Catalog.Declared<MethodInfo>(assembly).OrderBy(method => method.Name, StringComparer.Ordinal)];

    /// <summary>Makes a method.</summary>
    /// <param name="name">Its name, as <see cref="Spellings"/> understands it; without the suffix there is no RPAT term.</param>
    /// <param name="given">Settings by name; an empty text is the default.</param>
    /// <param name="pgd">Threat model and attack of the run.</param>
    /// <exception cref="ArgumentException">There is no such method, or a setting is wrong.</exception>
    public static Objective Make(string name, IReadOnlyDictionary<string, string> given, PgdOptions pgd)
    {
        var method = Find(Spellings.Canonical(name)) ?? throw new ArgumentException($"There is no method '{name}': {Spellings.Hint(name)}");
        return method.Make(given, pgd);
    }
}
