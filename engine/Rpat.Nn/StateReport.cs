namespace Rpat.Nn;

/// <summary>A tensor whose sizes differ between a network and a file.</summary>
/// <param name="Model">Sizes in the network.</param>
/// <param name="File">Sizes in the file.</param>
public sealed record Reshaped(string Name, IReadOnlyList<long> Model, IReadOnlyList<long> File)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Name} (model [{string.Join(", ", Model)}], file [{string.Join(", ", File)}])";
}

/// <summary>The differences between a file and a network; all lists are empty if they match.</summary>
/// <param name="Missing">Names in the network but not in the file.</param>
/// <param name="Unexpected">Names in the file but not in the network.</param>
public sealed record StateReport(IReadOnlyList<string> Missing, IReadOnlyList<string> Unexpected, IReadOnlyList<Reshaped> Reshaped)
{
    /// <summary>Whether there are no differences.</summary>
    public bool Fits => Missing.Count + Unexpected.Count + Reshaped.Count == 0;

    /// <summary>The number of names of each kind, and the first few; empty when everything fits.</summary>
    public string Problems => string.Join("; ",
        [.. Part("missing", Missing), .. Part("unexpected", Unexpected),
            .. Part("of another shape", [.. Reshaped.Select(r => r.ToString())])]);

    /// <summary>Compares a network with the arrays found in a file.</summary>
    public static StateReport Of(Module net, IReadOnlyDictionary<string, long[]> found)
    {
        (string Name, long[] Shape)[] wanted = [.. net.StateShapes()];
        HashSet<string> names = [.. wanted.Select(w => w.Name)];
        var differing = wanted.Where(w => found.TryGetValue(w.Name, out long[]? shape) && !w.Shape.SequenceEqual(shape));
        return new StateReport(
            [.. wanted.Where(w => !found.ContainsKey(w.Name)).Select(w => w.Name)],
            [.. found.Keys.Where(name => !names.Contains(name))],
            [.. differing.Select(w => new Reshaped(w.Name, w.Shape, found[w.Name]))]);
    }

    /// <summary>Throws unless everything fits.</summary>
    /// <exception cref="CheckpointException">The message has the number of names of each kind, and the first few.</exception>
    public void Require()
    {
        if (!Fits) throw new CheckpointException($"The checkpoint does not fit the model: {Problems}.");
    }

    private static IEnumerable<string> Part(string what, IReadOnlyList<string> names)
    {
        if (names.Count == 0) yield break;
        string more = names.Count > 5 ? $" and {names.Count - 5} more" : "";
        yield return $"{names.Count} {what}: {string.Join(", ", names.Take(5))}{more}";
    }
}
