namespace Rpat.Engine.IO;

/// <summary>
/// A file's weights under a network's own names: wrappers' prefixes are taken off, and an input normalisation that was saved as a
/// part of the network is read as such (formats.md 3.8).
/// </summary>
public sealed class ModelWeights
{
    private const int MaxChannels = 4096;

    private static readonly string[] _prefixes = ["module.", "model.", "_orig_mod.", "basic_net.", "1."];

    private static readonly (string Mean, string Std)[] _normalizations =
    [
        ("normalizer.new_mean", "normalizer.new_std"), ("normalizer.mean", "normalizer.std"), ("normalize.mean", "normalize.std"),
        ("mu", "sigma"), ("mean", "std"), ("0.mean", "0.std"),
    ];

    private readonly WeightFile _file;
    private readonly List<string> _notes;
    private Dictionary<string, WeightEntry> _entries;

    private ModelWeights(WeightFile file)
    {
        (_file, _notes) = (file, [.. file.Notes]);
        _entries = file.Tensors.ToDictionary(entry => entry.Name, StringComparer.Ordinal);
    }

    /// <summary>The tensors by the network's names, in the order of the file; each entry keeps its name in the file.</summary>
    public IReadOnlyDictionary<string, WeightEntry> Entries => _entries;

    /// <summary>Mean and deviation of each channel, if the file has them.</summary>
    public (IReadOnlyList<float> Mean, IReadOnlyList<float> Std)? Normalization { get; private set; }

    /// <summary>What was done on the way, each without a full stop.</summary>
    public IReadOnlyList<string> Notes => _notes;

    /// <summary>Finds the network's names in a file, which must stay open while tensors are read.</summary>
    /// <exception cref="CheckpointException">The file holds no tensor.</exception>
    public static ModelWeights Of(WeightFile file)
    {
        if (file.Tensors.Count == 0)
            throw new CheckpointException($"'{file.Path}' holds no tensor: look into it with 'rpat import FILE --list', and choose a part with --key.");
        var weights = new ModelWeights(file);
        while (weights.DropAttacker() | weights.TakeNormalization() | weights.Strip())
        {
        }
        return weights;
    }

    /// <summary>Reads a tensor, under the network's name.</summary>
    /// <param name="name">One of the names of <see cref="Entries"/>.</param>
    /// <exception cref="CheckpointException">The file cannot be read.</exception>
    public NamedArray Load(string name)
    {
        NamedArray array = _file.Load(_entries[name].Name);
        return new NamedArray(name, array.Type, array.Shape, array.Data);
    }

    /// <summary>Gives names that begin with one of several prefixes another one, if the file has none of that yet.</summary>
    /// <param name="from">Prefixes that mean the same, such as <c>fc.</c> and <c>linear.</c>.</param>
    /// <param name="to">The prefix that the network uses.</param>
    public void RenamePrefix(IReadOnlyList<string> from, string to)
    {
        if (_entries.Keys.Any(name => name.StartsWith(to, StringComparison.Ordinal))) return;
        if (from.FirstOrDefault(p => _entries.Keys.Any(name => name.StartsWith(p, StringComparison.Ordinal))) is not { } prefix) return;
        _entries = _entries.ToDictionary(pair => Renamed(pair.Key), pair => pair.Value, StringComparer.Ordinal);
        _notes.Add($"'{prefix}*' is taken as '{to}*'");

        string Renamed(string name) => name.StartsWith(prefix, StringComparison.Ordinal) ? to + name[prefix.Length..] : name;
    }

    // MadryLab's files hold the network twice, once inside an attacker.
    private bool DropAttacker()
    {
        const string attacker = "attacker.";
        bool isWrapper = _entries.Keys.Any(name => name.StartsWith(attacker, StringComparison.Ordinal))
            && _entries.Keys.Any(name => name.StartsWith("model.", StringComparison.Ordinal));
        if (isWrapper) Keep(name => !name.StartsWith(attacker, StringComparison.Ordinal));
        return isWrapper;
    }

    private bool TakeNormalization()
    {
        foreach (var (mean, std) in _normalizations)
        {
            if (!IsVector(mean) || !IsVector(std)) continue;
            float[] means = Load(mean).ToFloats(), deviations = Load(std).ToFloats();
            if (means.Length != deviations.Length || !deviations.All(value => value > 0)) continue;
            Normalization = (means, deviations);
            _notes.Add($"'{_entries[mean].Name}' and '{_entries[std].Name}' are taken as the input normalisation");
            Keep(name => name != mean && name != std);
            return true;
        }
        return false;
    }

    // [C], [C, 1, 1] or [1, C, 1, 1].
    private bool IsVector(string name) => _entries.TryGetValue(name, out WeightEntry? entry)
        && entry.Type is ElementType.F16 or ElementType.BF16 or ElementType.F32 or ElementType.F64
        && entry.Shape.Count(size => size != 1) <= 1 && entry.Shape.All(size => size is > 0 and <= MaxChannels);

    private bool Strip()
    {
        string? prefix = _prefixes.FirstOrDefault(p => _entries.Keys.All(name => name.Length > p.Length && name.StartsWith(p, StringComparison.Ordinal)));
        if (prefix is null || _entries.Count == 0) return false;
        _entries = _entries.ToDictionary(pair => pair.Key[prefix.Length..], pair => pair.Value, StringComparer.Ordinal);
        _notes.Add($"prefix '{prefix}' was taken off all names");
        return true;
    }

    private void Keep(Func<string, bool> wanted) =>
        _entries = _entries.Where(pair => wanted(pair.Key)).ToDictionary(pair => pair.Key, pair => pair.Value, StringComparer.Ordinal);
}
