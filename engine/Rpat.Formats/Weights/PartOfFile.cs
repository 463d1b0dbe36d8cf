namespace Rpat.Formats.Weights;

/// <summary>The part of a weight file under a name, without that name.</summary>
internal sealed class PartOfFile : WeightFile
{
    private readonly WeightFile _file;
    private readonly string _prefix;

    /// <summary>Takes the part; <paramref name="file"/> is closed with it.</summary>
    /// <exception cref="CheckpointException">There is nothing under the name.</exception>
    public PartOfFile(WeightFile file, string key) : base(file.Path, file.Kind)
    {
        (_file, _prefix) = (file, key.EndsWith('.') ? key : key + ".");
        Tensors = [.. file.Tensors.Where(entry => IsIn(entry.Name)).Select(entry => entry with { Name = entry.Name[_prefix.Length..] })];
        Values = [.. file.Values.Where(value => IsIn(value.Key))
            .Select(value => KeyValuePair.Create(value.Key[_prefix.Length..], value.Value))];
        if (Tensors.Count + Values.Count == 0)
            throw new CheckpointException($"'{Path}' has nothing under '{key}': see the names in WeightFile.Tensors.");
    }

    public override IReadOnlyList<WeightEntry> Tensors { get; }

    public override IReadOnlyList<KeyValuePair<string, string>> Values { get; }

    public override IReadOnlyDictionary<string, string> Metadata => _file.Metadata;

    public override IReadOnlyList<string> Notes => _file.Notes;

    public override NamedArray Load(string name)
    {
        NamedArray array = _file.Load(_prefix + name);
        return new NamedArray(name, array.Type, array.Shape, array.Data);
    }

    protected override void Dispose(bool disposing) => _file.Dispose();

    private bool IsIn(string name) => name.Length > _prefix.Length && name.StartsWith(_prefix, StringComparison.Ordinal);
}
