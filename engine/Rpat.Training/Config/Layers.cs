using System.Collections;
using Rpat.Robust.Methods;

namespace Rpat.Training.Config;

/// <summary>Layers from all sources except recipes.</summary>
internal static class Layers
{
    private const string Prefix = "RPAT__";
    /// <summary>No configuration is this long.</summary>
    public const int MaxFileBytes = 1 << 20;

    // Two settings of the machine, not of the run, have short names.
    private static readonly (string Variable, ConfigKey Key)[] _shortNames =
        [("RPAT_DATA", ConfigKeys.Of(c => c.Data.Dir)), ("RPAT_RUNS", ConfigKeys.Of(c => c.Run.Out))];

    /// <summary>The built-in defaults: every key has a value here.</summary>
    public static ConfigLayer Defaults() =>
        new("defaults", ConfigKeys.All.ToDictionary(leaf => leaf.Path,
        leaf => new ConfigValue(leaf.Path, leaf.Default, leaf.IsList, "default")));

    /// <summary>Reads a configuration file.</summary>
    /// <exception cref="ConfigException">The file cannot be read or is wrong, or is that of a run that has names of a plugin which was not
    /// given.</exception>
    public static ConfigLayer File(string path)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(path)) ?? "";
        if (Path.GetFileName(path) != RunFolder.ConfigName || RunPlugins.Missing(folder) is not { } sentence) return Read(path);
        try
        {
            var layer = Read(path);
            foreach (var entry in layer.Entries.Values) Schema.Find(entry.Path, entry.Origin).Set(new TrainerConfig(), entry);
            return layer;
        }
        catch (ConfigException error)
        {
            throw new ConfigException(sentence, error);
        }
    }

    /// <summary>The values of a run as they are, those of its plugins too, whether or not these are loaded.</summary>
    /// <exception cref="ConfigException">The run's file cannot be read or is wrong.</exception>
    public static IReadOnlyDictionary<string, ConfigValue> Recorded(string run) =>
        Read(Path.Combine(run, RunFolder.ConfigName), takesAny: true).Entries;

    private static ConfigLayer Read(string path, bool takesAny = false)
    {
        try
        {
            return YamlLayer.Read(RegularFile.ReadText(path, MaxFileBytes), path, takesAny);
        }
        catch (FileNotFoundException error)
        {
            throw new ConfigException($"configuration file '{path}' cannot be read: check the path given with -c or extends.", error);
        }
        catch (IOException error)
        {
            throw new ConfigException($"configuration file cannot be read: {error.Message}", error);
        }
    }

    /// <summary>The file that a layer's <c>extends</c> names, relative to the file that names it, or null.</summary>
    /// <exception cref="ConfigException">It cannot be read, or extends a third file.</exception>
    public static ConfigLayer? Extended(ConfigLayer file)
    {
        if (file.Extends is not { } extends) return null;
        string folder = Path.GetDirectoryName(Path.GetFullPath(file.Name)) ?? "";
        return OneLevel(File(Path.Combine(folder, extends.Text)), extends);
    }

    /// <summary>Refuses a base that extends another one: a single level is easy to follow.</summary>
    public static ConfigLayer OneLevel(ConfigLayer extended, ConfigValue extends) => extended.Extends is null
        ? extended
        : throw new ConfigException($"'{extends.Text}' ({extends.Origin}) extends another file itself: only one level is followed.");

    /// <summary>An environment without the variables <c>RPAT__SECTION__KEY</c>.</summary>
    public static IReadOnlyDictionary<string, string> WithoutKeys(IReadOnlyDictionary<string, string> variables) => variables
        .Where(pair => !pair.Key.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase)).ToDictionary();

    /// <summary>The variables <c>RPAT__SECTION__KEY</c>, and below them <c>RPAT_DATA</c> and <c>RPAT_RUNS</c>.</summary>
    /// <exception cref="ConfigException">A variable names no key.</exception>
    public static ConfigLayer Environment(IReadOnlyDictionary<string, string> variables)
    {
        var entries = new Dictionary<string, ConfigValue>();
        foreach (var (variable, key) in _shortNames)
        {
            if (variables.TryGetValue(variable, out string? text)) Add(entries, key.Path, text, Origin(variable));
        }

        foreach (var (variable, text) in variables.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            if (!variable.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase)) continue;
            Add(entries, variable[Prefix.Length..].Replace("__", ".").ToLowerInvariant(), text, Origin(variable));
        }

        return new ConfigLayer("environment", entries);
    }

    /// <summary>Settings <c>key=value</c>; if a key is given twice, the later one wins.</summary>
    /// <param name="origin">What the user knows them as.</param>
    /// <exception cref="ConfigException">One has no '=' or names no key.</exception>
    public static ConfigLayer Sets(IEnumerable<string> settings, string origin = ConfigSources.Option)
    {
        var entries = new Dictionary<string, ConfigValue>();
        ArgumentNullException.ThrowIfNull(settings);
        foreach (string setting in settings)
        {
            ArgumentNullException.ThrowIfNull(setting);
            int equals = setting.IndexOf('=');
            if (equals < 1) throw new ConfigException($"'{setting}' ({origin}) is not of the form key=value: write it as train.epochs=3.");
            Add(entries, setting[..equals].Trim(), setting[(equals + 1)..], origin);
        }

        return new ConfigLayer(origin, entries);
    }

    /// <summary>The options that set one key each, such as <c>--eps</c>.</summary>
    public static ConfigLayer Flags(IEnumerable<(string Flag, ConfigKey Key, string Text)> flags)
    {
        var entries = new Dictionary<string, ConfigValue>();
        foreach (var (flag, key, text) in flags) Add(entries, key.Path, text, flag);
        return new ConfigLayer("options", entries);
    }

    /// <summary>The process's environment as a dictionary.</summary>
    public static IReadOnlyDictionary<string, string> ProcessEnvironment() => System.Environment.GetEnvironmentVariables()
        .Cast<DictionaryEntry>()
        .ToDictionary(pair => (string)pair.Key, pair => (string?)pair.Value ?? "");

    private static string Origin(string variable) => $"environment {variable}";

    // A list in brackets is read as a list, so that a value can be copied from a resolved configuration.
    private static void Add(Dictionary<string, ConfigValue> entries, string path, string text, string origin)
    {
        var leaf = Schema.Find(path, origin);
        string bare = text.Trim();
        if (leaf.IsList && bare.StartsWith('[') && bare.EndsWith(']')) bare = bare[1..^1];
        entries[leaf.Path] = new ConfigValue(leaf.Path, bare, leaf.IsList, origin);
    }
}

/// <summary>One value as written, before parsing, and where it was written.</summary>
/// <param name="Path">The full key, such as <c>attack.eps</c>.</param>
/// <param name="Text">The value's text; the items of a list are joined by <c>", "</c>.</param>
/// <param name="Origin">Where it was written: <c>my.yaml:12</c>, <c>--eps</c>, <c>environment RPAT__ATTACK__EPS</c>.</param>
internal sealed record ConfigValue(string Path, string Text, bool IsList, string Origin)
{
    /// <summary>The source of the value, if known: a paper, a code, a choice.</summary>
    public string? Source { get; init; }

    /// <summary>The text split at its commas, without surrounding blanks and empty items.</summary>
    public static string[] Items(string text) => text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
}

/// <summary>The values of one source. If there are several layers, the later one wins, key by key.</summary>
/// <param name="Extends">The file or recipe that this one builds on, if it names one.</param>
internal sealed record ConfigLayer(string Name, IReadOnlyDictionary<string, ConfigValue> Entries, ConfigValue? Extends = null);

/// <summary>
/// Merges layers, from low to high. The settings that a layer, or one below it, gives for the method that it names belong to that method:
/// if a higher layer names another method, settings that the new one does not have are dropped, and so are values that the old one has
/// anyway. Likewise the sizes that a layer, or one below it, gives for the network that it names belong to that network.
/// </summary>
internal sealed class LayerMerge
{
    private readonly Dictionary<string, int> _settings = []; // the layer of each of the method's own settings
    private readonly Dictionary<string, string> _unfit = []; // what is wrong with radii of another norm, unless a higher layer sets them
    private readonly Dictionary<string, int> _networkSizes = []; // the layer of each size of the network
    private IReadOnlyDictionary<string, ConfigValue> _lowest = new Dictionary<string, ConfigValue>();
    private int _count, _named, _networkNamed;

    /// <summary>The winning entry of every key.</summary>
    public Dictionary<string, ConfigValue> Values { get; } = [];

    private static readonly string[] _sizes = [ConfigKeys.Of(c => c.Attack.Eps).Path, ConfigKeys.Of(c => c.Attack.Step).Path];

    private static readonly string[] _ofNetwork = [ConfigKeys.Of(c => c.Model.Width).Path, ConfigKeys.Of(c => c.Model.Blocks).Path];

    private static string Network { get; } = ConfigKeys.Of(c => c.Model.Name).Path;

    private static string Name { get; } = ConfigKeys.Of(c => c.Method.Name).Path;

    private static string Norm { get; } = ConfigKeys.Of(c => c.Attack.Norm).Path;

    /// <summary>Adds the next higher layer.</summary>
    public void Add(ConfigLayer layer)
    {
        int index = _count++;
        if (index == 0) _lowest = layer.Entries;
        string? norm = Values.GetValueOrDefault(Norm)?.Text;
        if (layer.Entries.TryGetValue(Name, out var name)) Rename(CatalogNames.Methods.Canonical(name.Text), index);
        if (layer.Entries.TryGetValue(Network, out var network)) Replace(Schema.Find(Network, network.Origin).Canonical(network).Text, index);
        foreach (var (path, entry) in layer.Entries)
        {
            var key = Schema.Find(path, entry.Origin);
            Values[path] = key.Canonical(entry);
            _unfit.Remove(path);
            if (key.IsOfMethod) _settings[path] = index;
            if (_ofNetwork.Contains(path)) _networkSizes[path] = index;
        }
        if (norm is not null && norm != Values[Norm].Text && RecipeBlocks.All.TryGetValue(Values[Norm].Text, out var usual))
            Resize(layer, norm, usual.Layer.Entries);
    }

    /// <summary>Refuses a radius that was set for another norm.</summary>
    /// <exception cref="ConfigException">There is one.</exception>
    public void Check()
    {
        if (_unfit.Values.FirstOrDefault() is { } problem) throw new ConfigException(problem);
    }

    // A radius means nothing in another norm: the usual one of the new norm replaces one that the user did not choose for it.
    private void Resize(ConfigLayer layer, string before, IReadOnlyDictionary<string, ConfigValue> usual)
    {
        var norm = Values[Norm];
        foreach (string path in _sizes.Where(path => !layer.Entries.ContainsKey(path)))
        {
            var (entry, origin) = (Values[path], Values[path].Origin);
            if (origin.StartsWith("--", StringComparison.Ordinal) || origin.StartsWith("environment ", StringComparison.Ordinal)) continue;
            bool ships = entry.Source is not null || origin == "default" || origin.StartsWith("recipe ", StringComparison.Ordinal);
            if (ships) Values[path] = usual[path];
            else _unfit[path] = $"{norm.Path} is '{norm.Text}' ({norm.Origin}), and {path} is '{entry.Text}' ({origin}), which was set for "
                + $"{before}: set {path} too, {usual[path].Text} is usual.";
        }
    }

    // A width is a number of channels in one network and a factor in another.
    private void Replace(string network, int index)
    {
        if (Values.TryGetValue(Network, out var before) && before.Text != network)
            foreach (var (path, from) in _networkSizes)
                if (from <= _networkNamed) Values[path] = _lowest[path];
        _networkNamed = index;
    }

    private void Rename(string name, int index)
    {
        var (before, after) = (Values.TryGetValue(Name, out var entry) ? MethodCatalog.Find(entry.Text) : null, MethodCatalog.Find(name));
        if (before is not null && after is not null && before != after)
            foreach (var (path, from) in _settings)
                if (from <= _named && IsLeft(Values[path], before, after)) Values[path] = Values[path] with { Text = "" };
        _named = index;
    }

    private static bool IsLeft(ConfigValue entry, MethodInfo before, MethodInfo after)
    {
        string name = entry.Path[(entry.Path.LastIndexOf('.') + 1)..];
        return after.Settings.All(s => s.Name != name) || before.Settings.Any(s => s.Name == name && s.Default == entry.Text);
    }
}
