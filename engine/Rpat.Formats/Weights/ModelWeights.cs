namespace Rpat.Formats.Weights;

/// <summary>
/// One state dict of a file, under the network's names: a common prefix of all names is removed, as are wrappers' names inside them,
/// and an input normalisation that was saved with it is read as such (formats.md 3.8).
/// </summary>
public sealed class ModelWeights
{
    private const int MaxChannels = 4096;

    // Modules that only wrap: of DataParallel and AveragedModel, torch.compile, FSDP and activation checkpoints.
    private static readonly HashSet<string> _wrappers = ["module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"];

    private static readonly (string Mean, string Std)[] _normalizations =
    [
        ("normalizer.new_mean", "normalizer.new_std"), ("normalizer.mean", "normalizer.std"), ("normalize.mean", "normalize.std"),
        ("mu", "sigma"), ("mean", "std"), ("0.mean", "0.std"),
    ];

    private readonly WeightFile _file;
    private readonly List<string> _notes;
    private readonly List<string> _beside;
    private Dictionary<string, WeightEntry> _entries;

    private ModelWeights(WeightFile file, Dictionary<string, WeightEntry> all, string prefix, string anchor)
    {
        (_file, _notes) = (file, [.. file.Notes]);
        _entries = all.Where(pair => pair.Key.StartsWith(prefix, StringComparison.Ordinal))
            .ToDictionary(pair => pair.Key[prefix.Length..], pair => pair.Value, StringComparer.Ordinal);
        string first = all.GetValueOrDefault(prefix + anchor)?.Name ?? "";
        Place = first.Length > anchor.Length ? first[..^anchor.Length].TrimEnd('.') : "";
        if (Place.Length > 0) _notes.Add($"the weights are those under '{Place}'");
        var pair = TakeNormalization(all, prefix);
        _beside = [.. all.Where(entry => !entry.Key.StartsWith(prefix, StringComparison.Ordinal) && !pair.Contains(entry.Value))
            .Select(entry => entry.Value.Name)];
    }

    /// <summary>The prefix of the weights in the file; empty at its root.</summary>
    public string Place { get; }

    /// <summary>The tensors by the network's names, in the order of the file; each entry keeps its name in the file.</summary>
    public IReadOnlyDictionary<string, WeightEntry> Entries => _entries;

    /// <summary>Names in the file of tensors that do not belong to the network.</summary>
    public IReadOnlyList<string> Beside => _beside;

    /// <summary>Prefixes of names in <see cref="Entries"/> that may be separate state dicts.</summary>
    public IReadOnlyList<string> Inner { get; private init; } = [];

    /// <summary>Mean and deviation of each channel, if the file has them.</summary>
    public (IReadOnlyList<float> Mean, IReadOnlyList<float> Std)? Normalization { get; private set; }

    /// <summary>What was changed while reading, each without a full stop.</summary>
    public IReadOnlyList<string> Notes => _notes;

    /// <summary>Finds every state dict of a file, which must stay open while tensors are read.</summary>
    /// <param name="heads">Names of the last layer's weights; every state dict has one of them.</param>
    /// <param name="stem">Name of the first layer's weights, used where there is no head; inner blocks may have the same name.</param>
    /// <returns>At least one, in the order of the file; the whole file when it has neither.</returns>
    /// <exception cref="CheckpointException">The file has no tensor.</exception>
    public static IReadOnlyList<ModelWeights> In(WeightFile file, IReadOnlyList<string> heads, string stem)
    {
        if (file.Tensors.Count == 0)
            throw new CheckpointException(
                $"'{file.Path}' holds no tensor: see WeightFile.Values, and open a part by its key.");
        var all = Unwrapped(file.Tensors);
        var places = heads.SelectMany(head => Places(all.Keys, head)).DistinctBy(place => place.Prefix).ToList();
        if (places.Count == 0) places = [.. Outermost([.. Places(all.Keys, stem)])];
        if (places.Count == 0) places = [("", "")];
        return
        [
            .. places.Select(place => new ModelWeights(file, all, place.Prefix, place.Anchor)
            {
                Inner = [.. places.Where(p => p.Prefix.Length > place.Prefix.Length
                    && p.Prefix.StartsWith(place.Prefix, StringComparison.Ordinal))
                    .Select(p => p.Prefix[place.Prefix.Length..])],
            }),
        ];
    }

    private static IEnumerable<(string Prefix, string Anchor)> Places(IEnumerable<string> names, string anchor) =>
        names.Where(name => name == anchor || name.EndsWith("." + anchor, StringComparison.Ordinal))
        .Select(name => (name[..^anchor.Length], anchor));

    private static IEnumerable<(string Prefix, string Anchor)> Outermost(IReadOnlyList<(string Prefix, string Anchor)> places) =>
        places.Where(place => !places.Any(outer => outer.Prefix.Length < place.Prefix.Length
        && place.Prefix.StartsWith(outer.Prefix, StringComparison.Ordinal)));

    /// <summary>Reads a tensor, under the network's name.</summary>
    /// <param name="name">One of the names of <see cref="Entries"/>.</param>
    /// <exception cref="CheckpointException">The file cannot be read.</exception>
    public NamedArray Load(string name) => Load(_entries[name], name);

    /// <summary>Replaces several equivalent prefixes of names by another one, unless the file already has that name.</summary>
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

    /// <summary>Moves tensors known not to be the network's from <see cref="Entries"/> to <see cref="Beside"/>.</summary>
    /// <param name="isForeign">Whether a tensor with this name and entry is foreign.</param>
    public void LeaveOut(Func<string, WeightEntry, bool> isForeign)
    {
        _beside.AddRange(_entries.Where(pair => isForeign(pair.Key, pair.Value)).Select(pair => pair.Value.Name));
        _entries = _entries.Where(pair => !isForeign(pair.Key, pair.Value)).ToDictionary(pair => pair.Key, pair => pair.Value,
            StringComparer.Ordinal);
    }

    // Names without wrappers; those that would collide without them keep them.
    private static Dictionary<string, WeightEntry> Unwrapped(IReadOnlyList<WeightEntry> tensors)
    {
        var byName = tensors.GroupBy(entry => Unwrapped(entry.Name)).ToDictionary(group => group.Key, group => group.Count(),
            StringComparer.Ordinal);
        var own = tensors.Select(entry => entry.Name).ToHashSet(StringComparer.Ordinal);
        return tensors.ToDictionary(entry => Unwrapped(entry.Name) is var name && byName[name] == 1 ? name : entry.Name,
            StringComparer.Ordinal);
    }

    private static string Unwrapped(string name) => string.Join('.', name.Split('.').Where(part => !_wrappers.Contains(part)));

    private NamedArray Load(WeightEntry entry, string name)
    {
        NamedArray array = _file.Load(entry.Name);
        return new NamedArray(name, array.Type, array.Shape, array.Data);
    }

    // The normalisation is a part of the network, or of the module around it.
    private IReadOnlyList<WeightEntry> TakeNormalization(Dictionary<string, WeightEntry> all, string prefix)
    {
        for (string? holder = prefix; holder is not null; holder = Outer(holder))
        {
            foreach (var (mean, std) in _normalizations)
            {
                if (!IsVector(all, holder + mean, out var means) || !IsVector(all, holder + std, out var deviations)
                    || !Take(means, deviations)) continue;
                if (holder == prefix)
                    _entries = _entries.Where(p => p.Value != means && p.Value != deviations).ToDictionary(StringComparer.Ordinal);
                return [means, deviations];
            }
        }
        return [];
    }

    // "a.b." lies in "a.", which lies in "".
    private static string? Outer(string holder) => holder.Length == 0 ? null : holder[..(holder[..^1].LastIndexOf('.') + 1)];

    private bool Take(WeightEntry mean, WeightEntry std)
    {
        float[] means = Load(mean, mean.Name).ToFloats(), deviations = Load(std, std.Name).ToFloats();
        if (means.Length != deviations.Length || !deviations.All(value => value > 0)) return false;
        Normalization = (means, deviations);
        _notes.Add($"'{mean.Name}' and '{std.Name}' are taken as the input normalisation");
        return true;
    }

    // [C], [C, 1, 1] or [1, C, 1, 1].
    private static bool IsVector(Dictionary<string, WeightEntry> all, string name, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)]
    out WeightEntry? entry) =>
        all.TryGetValue(name, out entry) && entry.Type is ElementType.F16 or ElementType.BF16 or ElementType.F32 or ElementType.F64
        && entry.Shape.Count(size => size != 1) <= 1 && entry.Shape.All(size => size is > 0 and <= MaxChannels);
}
