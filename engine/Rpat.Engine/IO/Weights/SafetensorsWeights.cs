namespace Rpat.Engine.IO;

/// <summary>The tensors of a safetensors file.</summary>
internal sealed class SafetensorsWeights(SafetensorsFile file) : WeightFile(file.Path, "safetensors file")
{
    public override IReadOnlyList<WeightEntry> Tensors { get; } =
        [.. file.Tensors.Values.OrderBy(t => t.Offset).ThenBy(t => t.Name, StringComparer.Ordinal).Select(t => new WeightEntry(t.Name, t.Type, t.Shape, t.OtherType))];

    public override IReadOnlyDictionary<string, string> Metadata => file.Metadata;

    public override IReadOnlyList<KeyValuePair<string, string>> Values => [.. file.Metadata];

    public override NamedArray Load(string name) => file.Load(name);

    protected override void Dispose(bool disposing) => file.Dispose();
}
