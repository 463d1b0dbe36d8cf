using Rpat.Robust.Methods;

namespace Rpat.Training.Config;

/// <summary>
/// Lays layers over each other, low to high. What a layer, or one beneath it, says of the method that it names is that method's: where a
/// higher layer names another, settings that the new one does not have are left behind, and so are values that the old one has anyway.
/// </summary>
internal sealed class LayerMerge
{
    private readonly Dictionary<string, int> _settings = []; // the layer that each of the method's own settings is from
    private int _count, _named;

    /// <summary>The winning entry of every key.</summary>
    public Dictionary<string, Entry> Values { get; } = [];

    private static string Name { get; } = ConfigKeys.Of(c => c.Method.Name).Path;

    /// <summary>Adds the next higher layer.</summary>
    public void Add(Layer layer)
    {
        int index = _count++;
        if (layer.Entries.TryGetValue(Name, out var name)) Rename(name.Text, index);
        foreach (var (path, entry) in layer.Entries)
        {
            Values[path] = entry;
            if (Schema.Find(path, entry.Origin).IsOfMethod) _settings[path] = index;
        }
    }

    private void Rename(string name, int index)
    {
        var (before, after) = (Values.TryGetValue(Name, out var entry) ? MethodCatalog.Find(entry.Text) : null, MethodCatalog.Find(name));
        if (before is not null && after is not null && before != after)
            foreach (var (path, from) in _settings)
                if (from <= _named && IsLeft(Values[path], before, after)) Values[path] = Values[path] with { Text = "" };
        _named = index;
    }

    private static bool IsLeft(Entry entry, MethodInfo before, MethodInfo after)
    {
        string name = entry.Path[(entry.Path.LastIndexOf('.') + 1)..];
        return after.Settings.All(s => s.Name != name) || before.Settings.Any(s => s.Name == name && s.Default == entry.Text);
    }
}
