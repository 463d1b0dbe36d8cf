using Rpat.Robust.Methods;

namespace Rpat.Training.Config;

/// <summary>Looks up keys, and reports what is wrong with unknown ones.</summary>
internal static class Schema
{
    /// <summary>The key that names a file to extend; it is at the level of the sections and is not a value of the configuration.</summary>
    public const string Extends = "extends";

    // 'method: pgd-at' is short for 'method: { name: pgd-at }': these sections may be given by their name.
    private static readonly Dictionary<string, string> _shorthands = new()
    {
        ["recipe"] = "recipe.name",
        ["data"] = "data.name",
        ["model"] = "model.name",
        ["method"] = "method.name",
        ["schedule"] = "schedule.kind",
    };

    private static Index _index = new([]);

    /// <summary>The names of the paper's λ, which is <c>method.rpat.weight</c> here.</summary>
    public static IReadOnlyList<string> Lambda { get; } = ["lambda", "lam", "λ"];

    /// <summary>The keys and sections by path; rebuilt when methods have been registered.</summary>
    private static Index Keys
    {
        get
        {
            var (all, index) = (ConfigKeys.All, _index);
            return ReferenceEquals(index.All, all) ? index : _index = new Index(all);
        }
    }

    /// <summary>Whether the path of a section may be used for its name.</summary>
    public static bool HasShorthand(string path) => _shorthands.ContainsKey(path);

    /// <summary>Whether there are keys below this path.</summary>
    public static bool IsSection(string path) => Keys.Sections.Contains(path);

    /// <summary>Whether the path is a key that takes a value.</summary>
    public static bool IsKey(string path) => Keys.ByPath.ContainsKey(path);

    /// <summary>Whether the path is neither a key nor a section.</summary>
    public static bool IsUnknown(string path) => !IsKey(path) && !IsSection(path);

    /// <summary>Whether a key affects a method: those of the perception term only one that has it.</summary>
    public static bool Applies(string path, string method) => !path.StartsWith("method.rpat.", StringComparison.Ordinal)
        || method.Length == 0 || method.EndsWith(MethodCatalog.RpatSuffix, StringComparison.Ordinal);

    /// <summary>The key that a value at this path sets; a section's path is short for its name.</summary>
    /// <exception cref="ConfigException">There is no such key; the message names the nearest one.</exception>
    public static ConfigKey Find(string path, string origin)
    {
        if (Keys.ByPath.TryGetValue(path, out var key)) return key;
        if (_shorthands.TryGetValue(path, out string? full)) return Keys.ByPath[full];
        if (IsSection(path)) throw new ConfigException($"{path} ({origin}) is a section: give it keys ({KeysOf(path)}).");
        throw Unknown(path, origin);
    }

    /// <summary>The error for a key that does not exist: where, the full path, the nearest name, and the keys of its section.</summary>
    public static ConfigException Unknown(string path, string origin)
    {
        string name = path[(path.LastIndexOf('.') + 1)..];
        string? near = Lambda.Contains(name) || DidYouMean.Find(name, Lambda.Take(1)) is not null
            ? ConfigKeys.Of(c => c.Method.Rpat.Weight).Path : (path.Contains('.') ? null : SameLastName(path))
            ?? DidYouMean.Find(path, Keys.ByPath.Keys.Concat(Keys.Sections)) ?? SameLastName(path);
        string section = path.Contains('.') ? path[..path.LastIndexOf('.')] : "";
        string known = IsSection(section) ? $"keys of {section}: {KeysOf(section)}" : $"sections: {KeysOf("")}";
        if (section == "method") known += $"; {KnownNames.OfPlugins}";
        string hint = near is null ? $"remove it or choose another ({known})" : $"did you mean '{near}'? ({known})";
        return new ConfigException($"unknown key '{path}' ({origin}): {hint}");
    }

    // A key put in the wrong section is far from its true path but ends in the same name.
    private static string? SameLastName(string path) =>
        Keys.ByPath.Keys.FirstOrDefault(known => known.EndsWith('.' + path[(path.LastIndexOf('.') + 1)..], StringComparison.Ordinal));

    private static string KeysOf(string section)
    {
        string prefix = section.Length == 0 ? "" : section + '.';
        var names = ConfigKeys.All.Where(leaf => leaf.Path.StartsWith(prefix, StringComparison.Ordinal))
            .Select(leaf => leaf.Path[prefix.Length..].Split('.')[0]);
        return string.Join(", ", names.Distinct());
    }

    private sealed class Index(IReadOnlyList<ConfigKey> all)
    {
        public IReadOnlyList<ConfigKey> All => all;

        public Dictionary<string, ConfigKey> ByPath { get; } = all.ToDictionary(key => key.Path);

        public HashSet<string> Sections { get; } = [.. all.SelectMany(key => Parents(key.Path))];
    }

    private static IEnumerable<string> Parents(string path)
    {
        for (int dot = path.IndexOf('.'); dot >= 0; dot = path.IndexOf('.', dot + 1)) yield return path[..dot];
    }
}
