namespace Rpat.Formats.Weights;

/// <summary>The tensors of a PyTorch checkpoint.</summary>
internal sealed class TorchWeights : WeightFile
{
    private const long Spare = 1 << 20;

    private readonly TorchArchive _archive;
    private readonly Dictionary<string, (object Tensor, int Place)> _tensors = new(StringComparer.Ordinal);
    private readonly List<KeyValuePair<string, string>> _values = [];
    private readonly List<WeightEntry> _entries = [];
    private readonly List<string> _notes = [];
    private readonly HashSet<string> _read = new(StringComparer.Ordinal);
    private Int128 _bytesRead;

    public TorchWeights(TorchArchive archive) : base(archive.Path, archive.Kind)
    {
        _archive = archive;
        try
        {
            foreach (Found found in TensorWalk.Collect(archive)) Add(found);
        }
        catch
        {
            archive.Dispose();
            throw;
        }
        if (archive.Unknown.Count > 0)
        {
            string more = archive.Unknown.Count > 20 ? ", …" : "";
            _notes.Add($"these classes were taken as plain records: {string.Join(", ", archive.Unknown.Take(20))}{more}");
        }
    }

    public override IReadOnlyList<WeightEntry> Tensors => _entries;

    public override IReadOnlyList<KeyValuePair<string, string>> Values => _values;

    public override IReadOnlyList<string> Notes => _notes;

    public override NamedArray Load(string name)
    {
        if (!_tensors.TryGetValue(name, out var found))
            throw new CheckpointException(
                $"'{Path}' has no tensor '{name}' among its {_tensors.Count}: check that the file belongs to this model.");
        return found.Tensor switch
        {
            TensorRef reference => Read(name, reference.Bytes, () => TensorReader.Read(_archive, name, reference)),
            NumpyArray numpy => Read(name, numpy.Data!.Length, () => NumpyCalls.ToArray(name, numpy, what => _archive.Fail(what))!),
            OtherTensor other => throw UnknownKind.OfElements(Path, name, other.Type),
            _ => throw new InvalidOperationException($"{found.Tensor} is no tensor."),
        };
    }

    protected override void Dispose(bool disposing) => _archive.Dispose();

    private void Add(Found found)
    {
        switch (found.Value)
        {
            case TensorRef tensor: Add(found.Path, tensor, tensor.Type, tensor.Shape); break;
            case OtherTensor other: Add(found.Path, other, null, other.Shape, other.Type); break;
            case NumpyArray numpy:
                if (NumpyCalls.TypeOf(numpy, what => _archive.Fail(what)) is { } type) Add(found.Path, numpy, type, numpy.Shape);
                else Add(new Found(found.Path, new OtherTensor(numpy.Type?.Descr ?? "object", numpy.Shape)));
                break;
            default: _values.Add(new(found.Path, Convert.ToString(found.Value, CultureInfo.InvariantCulture)!)); break;
        }
    }

    // A dict may set a key twice: the last value counts.
    private void Add(string name, object tensor, ElementType? type, long[] shape, string? otherType = null)
    {
        var entry = new WeightEntry(name, type, shape, otherType);
        bool again = _tensors.TryGetValue(name, out var before);
        int place = again ? before.Place : _entries.Count;
        if (!again) _entries.Add(entry);
        else _entries[place] = entry;
        _tensors[name] = (tensor, place);
    }

    // A few bytes that are viewed as a huge tensor (stride 0), or one array under many names, must not take the memory that they claim.
    private NamedArray Read(string name, long bytes, Func<NamedArray> read)
    {
        if (_read.Add(name)) _bytesRead += bytes;
        if (_bytesRead > 4 * (Int128)_archive.Length + Spare)
            throw _archive.Fail($"its tensors up to '{name}' take {_bytesRead} bytes, far more than the file's {_archive.Length}");
        return read();
    }
}
