namespace Rpat.Engine.IO.PyTorch;

/// <summary>Finds the network's state within a checkpoint (formats.md 3.8): the root itself, or what stands under a usual name.</summary>
internal static class StateDict
{
    private static readonly string[] _keys =
        ["state_dict", "model_state_dict", "model", "net", "rmodel", "ema", "state_dict_ema", "model_ema", "last", "best"];

    /// <summary>Chooses the part of the graph that holds the weights.</summary>
    /// <param name="archive">The checkpoint.</param>
    /// <param name="key">Names that lead to it, joined by dots; null to look for it.</param>
    /// <param name="notes">Told which part was taken, and which others there are.</param>
    /// <exception cref="CheckpointException">There is no such part.</exception>
    public static object? Find(TorchArchive archive, string? key, List<string> notes)
    {
        if (key is not null) return Named(archive, key);
        if (archive.Root is not PickleDict root || root.Items.Any(item => item.Value is TensorRef or NumpyArray)) return archive.Root;
        string[] holders = [.. TensorWalk.Collect(archive, root, tensorsOnly: true).Select(found => found.Top).Distinct()];
        string? chosen = _keys.FirstOrDefault(holders.Contains) ?? (holders.Length == 1 ? holders[0] : null);
        if (chosen is null) return root;
        notes.Add($"the weights are those under '{chosen}'");
        string[] others = [.. holders.Where(name => name != chosen)];
        if (others.Length > 0) notes.Add($"tensors stand under {string.Join(", ", others.Take(10).Select(name => $"'{name}'"))} too: choose with --key");
        return root.Find(chosen);
    }

    // Names may hold dots themselves, so the longest name that fits is tried first.
    private static object? Named(TorchArchive archive, string key)
    {
        object? at = archive.Root;
        for (string rest = key; rest.Length > 0;)
        {
            PickleDict? dict = at as PickleDict ?? (at as PickleObject)?.State as PickleDict;
            string name = rest;
            while (dict?.Items.Any(item => item.Key is string text && text == name) == false && name.Contains('.')) name = name[..name.LastIndexOf('.')];
            at = dict?.Find(name) ?? throw archive.Fail($"it has nothing under '{key}'");
            rest = rest.Length > name.Length ? rest[(name.Length + 1)..] : "";
        }
        return at;
    }
}
