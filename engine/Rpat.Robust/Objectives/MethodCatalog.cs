using System.Reflection;

namespace Rpat.Robust;

/// <summary>Every training method by name.</summary>
public static class MethodCatalog
{
    /// <summary>What is put behind a method's name for RPAT on top of it.</summary>
    public const string RpatSuffix = "+rpat";

    /// <summary>All methods, by name; those with the suffix aside.</summary>
    public static IReadOnlyList<MethodInfo> All { get; } = Find(typeof(MethodCatalog).Assembly);

    /// <summary>All names, with the suffix where the method takes it.</summary>
    public static IReadOnlyList<string> Names { get; } =
        [.. All.SelectMany(m => m.TakesRpat ? new[] { m.Name, m.Name + RpatSuffix } : [m.Name])];

    /// <summary>The method of a name, with or without the suffix; null where there is none.</summary>
    public static MethodInfo? Find(string name)
    {
        bool rpat = name.EndsWith(RpatSuffix, StringComparison.Ordinal);
        var method = All.FirstOrDefault(m => m.Name == (rpat ? name[..^RpatSuffix.Length] : name));
        return rpat && method is { TakesRpat: false } ? null : method;
    }

    /// <summary>The methods that the types of an assembly declare.</summary>
    public static IReadOnlyList<MethodInfo> Find(Assembly assembly) =>
    [
        .. assembly.GetTypes().Where(type => type.IsClass && typeof(IMethod).IsAssignableFrom(type))
            .SelectMany(type => (IReadOnlyList<MethodInfo>)type.GetProperty(nameof(IMethod.Methods))!.GetValue(null)!)
            .OrderBy(method => method.Name, StringComparer.Ordinal),
    ];

    /// <summary>Makes a method.</summary>
    /// <param name="name">Its name, with or without the suffix; without what RPAT adds.</param>
    /// <param name="given">Settings by name; an empty text is the default.</param>
    /// <param name="pgd">Threat model and attack of the run.</param>
    /// <exception cref="ArgumentException">There is no such method, or a setting is wrong.</exception>
    public static Objective Make(string name, IReadOnlyDictionary<string, string> given, PgdOptions pgd)
    {
        var method = Find(name) ?? throw new ArgumentException($"Method '{name}' is unknown: choose one of {string.Join(", ", Names)}.");
        return method.Make(new MethodSettings(method, given), pgd);
    }
}
