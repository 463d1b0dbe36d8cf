using Rpat.Trainer.Errors;

namespace Rpat.Trainer.Config;

/// <summary>Looks keys up, and says what is wrong with those that are not there.</summary>
internal static class Schema
{
    /// <summary>The key that names a file to build on; it stands beside the sections and is no value of the configuration.</summary>
    public const string Extends = "extends";

    private static readonly Dictionary<string, Leaf> _leaves = Keys.All.ToDictionary(leaf => leaf.Path);

    // 'method: pgd-at' is short for 'method: { name: pgd-at }': for people, these sections are their name.
    private static readonly Dictionary<string, string> _shorthands = new()
    {
        ["recipe"] = "recipe.name",
        ["data"] = "data.name",
        ["model"] = "model.name",
        ["method"] = "method.name",
        ["schedule"] = "schedule.kind",
    };

    private static readonly HashSet<string> _sections =
        [.. Keys.All.SelectMany(leaf => Parents(leaf.Path))];

    /// <summary>Whether the path of a section may stand for its name.</summary>
    public static bool HasShorthand(string path) => _shorthands.ContainsKey(path);

    /// <summary>Whether keys stand below this path.</summary>
    public static bool IsSection(string path) => _sections.Contains(path);

    /// <summary>Whether the path is a key that takes a value.</summary>
    public static bool IsLeaf(string path) => _leaves.ContainsKey(path);

    /// <summary>The key that a value at this path sets; the path of a section may be short for its name.</summary>
    /// <exception cref="ConfigException">There is no such key; the sentence names the nearest one.</exception>
    public static Leaf Find(string path, string origin)
    {
        if (_leaves.TryGetValue(path, out var leaf)) return leaf;
        if (_shorthands.TryGetValue(path, out string? full)) return _leaves[full];
        if (IsSection(path)) throw new ConfigException($"{path} ({origin}) is a section: give it keys ({KeysOf(path)}).");
        throw Unknown(path, origin);
    }

    /// <summary>The error for a key that does not exist: where, the full path, the nearest name, and the keys of its section.</summary>
    public static ConfigException Unknown(string path, string origin)
    {
        string? near = Nearest.Find(path, _leaves.Keys.Concat(_sections)) ?? SameLastName(path);
        string section = path.Contains('.') ? path[..path.LastIndexOf('.')] : "";
        string known = IsSection(section) ? $"keys of {section}: {KeysOf(section)}" : $"sections: {KeysOf("")}";
        string hint = near is null ? $"remove it or choose another ({known})" : $"did you mean '{near}'? ({known})";
        return new ConfigException($"unknown key '{path}' ({origin}): {hint}");
    }

    // A key put in the wrong section is far from its true path but ends in the same name.
    private static string? SameLastName(string path) =>
        _leaves.Keys.FirstOrDefault(known => known.EndsWith('.' + path[(path.LastIndexOf('.') + 1)..], StringComparison.Ordinal));

    private static string KeysOf(string section)
    {
        string prefix = section.Length == 0 ? "" : section + '.';
        var names = Keys.All.Where(leaf => leaf.Path.StartsWith(prefix, StringComparison.Ordinal))
            .Select(leaf => leaf.Path[prefix.Length..].Split('.')[0]);
        return string.Join(", ", names.Distinct());
    }

    private static IEnumerable<string> Parents(string path)
    {
        for (int dot = path.IndexOf('.'); dot >= 0; dot = path.IndexOf('.', dot + 1)) yield return path[..dot];
    }
}
