namespace Rpat.Formats.Weights;

/// <summary>Arrays that are in memory already: .npz and .npy.</summary>
internal sealed class ArrayWeights : WeightFile
{
    private readonly Dictionary<string, NamedArray> _arrays = new(StringComparer.Ordinal);

    public ArrayWeights(string path, string kind, IEnumerable<NamedArray> arrays) : base(path, kind)
    {
        foreach (NamedArray array in arrays) _arrays[array.Name] = array;
        Tensors = [.. _arrays.Values.Select(a => new WeightEntry(a.Name, a.Type, a.Shape))];
    }

    public override IReadOnlyList<WeightEntry> Tensors { get; }

    public override NamedArray Load(string name) => _arrays.TryGetValue(name, out NamedArray? array)
        ? array
        : throw new CheckpointException($"'{Path}' has no array '{name}': check that the file belongs to this model.");

    protected override void Dispose(bool disposing)
    {
    }
}
