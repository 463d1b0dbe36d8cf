using System.Reflection;

namespace Rpat.Robust.Methods;

/// <summary>
/// Combinations of a base and modifiers that have a name of their own; the catalog finds every class that implements this.
/// </summary>
public interface ICombinations
{
    /// <summary>The combinations.</summary>
    static abstract IReadOnlyList<MethodInfo> Methods { get; }
}

/// <summary>Every training method by name.</summary>
public static class MethodCatalog
{
    /// <summary>What is put behind a method's name for RPAT on top of it.</summary>
    public const string RpatSuffix = "+rpat";

    private static readonly Lock _lock = new();
    private static readonly HashSet<Assembly> _assemblies = [typeof(MethodCatalog).Assembly];

    /// <summary>All methods, by name; those with the suffix aside.</summary>
    public static IReadOnlyList<MethodInfo> All { get; private set; } = Find(typeof(MethodCatalog).Assembly);

    /// <summary>All names, with the suffix where the method takes it.</summary>
    public static IReadOnlyList<string> Names => [.. All.SelectMany(m => m.TakesRpat ? new[] { m.Name, m.Name + RpatSuffix } : [m.Name])];

    /// <summary>Adds the methods of another assembly; to add one twice does nothing.</summary>
    /// <exception cref="ArgumentException">A method's name is taken.</exception>
    public static void Register(Assembly assembly)
    {
        lock (_lock)
        {
            if (_assemblies.Contains(assembly)) return;
            var added = Find(assembly);
            if (added.FirstOrDefault(method => All.Any(known => known.Name == method.Name)) is { } taken)
                throw new ArgumentException($"{assembly.GetName().Name} has a method '{taken.Name}', and there is one already: give it another name.");
            All = Sorted(All.Concat(added));
            _assemblies.Add(assembly);
        }
    }

    /// <summary>The method of a name, with or without the suffix; null where there is none.</summary>
    public static MethodInfo? Find(string name)
    {
        bool rpat = name.EndsWith(RpatSuffix, StringComparison.Ordinal);
        var method = All.FirstOrDefault(m => m.Name == BaseName(name));
        return rpat && method is { TakesRpat: false } ? null : method;
    }

    /// <summary>A method's name without the suffix.</summary>
    public static string BaseName(string name) => name.EndsWith(RpatSuffix, StringComparison.Ordinal) ? name[..^RpatSuffix.Length] : name;

    /// <summary>The methods that the types of an assembly declare.</summary>
    public static IReadOnlyList<MethodInfo> Find(Assembly assembly)
    {
        var types = assembly.GetTypes().Where(type => type is { IsClass: true, IsGenericTypeDefinition: false });
        return Sorted(types.SelectMany(Of));
    }

    /// <summary>Makes a method.</summary>
    /// <param name="name">Its name, with or without the suffix; without what RPAT adds.</param>
    /// <param name="given">Settings by name; an empty text is the default.</param>
    /// <param name="pgd">Threat model and attack of the run.</param>
    /// <exception cref="ArgumentException">There is no such method, or a setting is wrong.</exception>
    public static Objective Make(string name, IReadOnlyDictionary<string, string> given, PgdOptions pgd)
    {
        var method = Find(name) ?? throw new ArgumentException($"Method '{name}' is unknown: choose one of {string.Join(", ", Names)}.");
        return method.Make(given, pgd);
    }

    private static IEnumerable<MethodInfo> Of(Type type)
    {
        if (type.IsDefined(typeof(MethodAttribute))) yield return MethodInfo.Of(type);
        if (!typeof(ICombinations).IsAssignableFrom(type)) yield break;
        foreach (var method in (IReadOnlyList<MethodInfo>)type.GetProperty(nameof(ICombinations.Methods))!.GetValue(null)!) yield return method;
    }

    private static IReadOnlyList<MethodInfo> Sorted(IEnumerable<MethodInfo> methods) =>
        [.. methods.OrderBy(method => method.Name, StringComparer.Ordinal)];
}
