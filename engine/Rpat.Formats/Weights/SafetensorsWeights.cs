namespace Rpat.Formats.Weights;

/// <summary>The tensors of a safetensors file, including their second names.</summary>
internal sealed class SafetensorsWeights(SafetensorsFile file) : WeightFile(file.Path, "safetensors file")
{
    public override IReadOnlyList<WeightEntry> Tensors { get; } =
    [
        .. file.Tensors.Values.OrderBy(t => t.Offset).ThenBy(t => t.Name, StringComparer.Ordinal).Select(t => Entry(t.Name, t)),
        .. from second in file.Metadata
           where !file.Tensors.ContainsKey(second.Key) && file.Tensors.ContainsKey(second.Value)
           select Entry(second.Key, file.Tensors[second.Value]),
    ];

    public override IReadOnlyDictionary<string, string> Metadata => file.Metadata;

    public override IReadOnlyList<KeyValuePair<string, string>> Values => [.. file.Metadata];

    public override NamedArray Load(string name) => file.Load(name);

    private static WeightEntry Entry(string name, TensorEntry tensor) => new(name, tensor.Type, tensor.Shape, tensor.OtherType);

    protected override void Dispose(bool disposing) => file.Dispose();
}
