namespace Rpat.Formats.PyTorch;

/// <summary>One item found by a walk.</summary>
/// <param name="Value">A <see cref="TensorRef"/>, <see cref="OtherTensor"/> or
/// <see cref="NumpyArray"/>, or a plain number or short text.</param>
internal readonly record struct Found(string Path, object Value);

/// <summary>
/// Walks an object graph and collects its tensors, numbers and texts. The attributes in which modules hold their parts (<c>_modules</c>,
/// <c>_parameters</c>, <c>_buffers</c>) are left out of the paths, so that a whole module gives the names of its state_dict.
/// </summary>
internal sealed class TensorWalk
{
    private const int MaxDepth = 1000;
    private const int MaxPath = 1000;
    private const int MaxText = 200;
    private const int MaxValues = 1000;

    private static readonly HashSet<string> _silent = ["_modules", "_parameters", "_buffers"];

    private readonly TorchArchive _archive;
    private readonly List<string> _path = [];
    private readonly List<Found> _found = [];
    private int _values = MaxValues;
    private long _left;
    private long _letters;

    private TensorWalk(TorchArchive archive)
    {
        _archive = archive;
        // A small graph can unfold into an unbounded tree or unbounded names.
        (_left, _letters) = (4 * archive.Work + 1000, 4 * archive.Length + 100_000);
    }

    /// <summary>Everything in a file, in file order; of numbers and texts only the first thousand.</summary>
    /// <exception cref="CheckpointException">The graph is deeper or larger than any checkpoint.</exception>
    public static List<Found> Collect(TorchArchive archive)
    {
        var walk = new TensorWalk(archive);
        walk.Visit(archive.Root, 0);
        return walk._found;
    }

    private void Visit(object? value, int depth)
    {
        if (depth > MaxDepth) throw _archive.Fail($"its objects are nested more than {MaxDepth} deep");
        if (--_left < 0) throw _archive.Fail("its objects refer to each other without end");
        switch (value)
        {
            case TensorRef or OtherTensor or NumpyArray: Add(value); break;
            case PickleDict dict: VisitDict(dict, depth); break;
            case PickleList list: VisitItems(list.Items, depth); break;
            case PickleTuple tuple: VisitItems(tuple.Items, depth); break;
            case PickleObject record: VisitObject(record, depth); break;
            case long or double or bool or string { Length: <= MaxText } when _values > 0: _values--; Add(value); break;
            default: break;
        }
    }

    private void VisitObject(PickleObject record, int depth)
    {
        if (record.Dict is { } dict) VisitDict(dict, depth);
        if (record.List is { } list) VisitItems(list.Items, depth);
        // An object's state is its attributes, or (attributes, slots).
        if (record.State is PickleTuple pair) foreach (object? part in pair.Items) Visit(part, depth + 1);
        else Visit(record.State, depth + 1);
    }

    private void VisitDict(PickleDict dict, int depth)
    {
        foreach (var (key, value) in dict.Items)
        {
            string? name = key switch { string text => text, long number => number.ToString(CultureInfo.InvariantCulture), _ => null };
            if (name is null || _silent.Contains(name)) Visit(value, depth + 1);
            else VisitNamed(name, value, depth);
        }
    }

    private void VisitItems(IReadOnlyList<object?> items, int depth)
    {
        for (int i = 0; i < items.Count; i++) VisitNamed(i.ToString(CultureInfo.InvariantCulture), items[i], depth);
    }

    private void VisitNamed(string name, object? value, int depth)
    {
        _path.Add(name);
        Visit(value, depth + 1);
        _path.RemoveAt(_path.Count - 1);
    }

    private void Add(object value)
    {
        long length = _path.Sum(part => part.Length + 1L);
        if (length > MaxPath) throw _archive.Fail($"a name has more than {MaxPath} characters");
        if ((_letters -= length) < 0) throw _archive.Fail("its names are longer than the file");
        _found.Add(new Found(string.Join('.', _path), value));
    }
}
