namespace Rpat.Engine.IO;

/// <summary>One tensor of an open file: what it is and where it lies.</summary>
/// <param name="Name">The tensor's name.</param>
/// <param name="Type">The element type.</param>
/// <param name="Shape">The sizes, slowest first; empty for a scalar.</param>
/// <param name="Offset">The first byte, counted from the start of the file.</param>
/// <param name="Length">The number of bytes; may pass 2 GiB.</param>
public sealed record TensorEntry(string Name, ElementType Type, long[] Shape, long Offset, long Length);

/// <summary>An open safetensors file whose tensors are read when asked for. Reading from several threads at once is safe.</summary>
public sealed class SafetensorsFile : IDisposable
{
    private readonly FileReader _reader;

    internal SafetensorsFile(FileReader reader, SafetensorsHeader header)
    {
        _reader = reader;
        Metadata = header.Metadata;
        Tensors = header.Tensors;
    }

    /// <summary>The file's path as it was given.</summary>
    public string Path => _reader.Path;

    /// <summary>The free text of the header's <c>__metadata__</c>; empty when there is none.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>The stored tensors by name.</summary>
    public IReadOnlyDictionary<string, TensorEntry> Tensors { get; }

    /// <summary>Reads a tensor. A name that the writer dropped as a second name of a stored one is found through the metadata.</summary>
    /// <param name="name">The tensor's name.</param>
    /// <exception cref="CheckpointException">There is no such tensor, it passes 2 GiB, or the file cannot be read.</exception>
    public NamedArray Load(string name)
    {
        TensorEntry entry = Find(name);
        if (entry.Length > Array.MaxLength)
            throw new CheckpointException(
                $"Tensor '{name}' in '{Path}' has {entry.Length} bytes, more than one array holds: read it in pieces.");
        byte[] data = new byte[entry.Length];
        _reader.ReadExactly(entry.Offset, data);
        return new NamedArray(name, entry.Type, entry.Shape, data);
    }

    /// <summary>Reads a part of a tensor's bytes, straight into <paramref name="destination"/>.</summary>
    /// <param name="name">The tensor's name.</param>
    /// <param name="offset">The first byte, counted from the start of the tensor.</param>
    /// <param name="destination">Filled whole.</param>
    /// <exception cref="CheckpointException">There is no such tensor, or the file cannot be read.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The part lies outside the tensor.</exception>
    public void ReadBytes(string name, long offset, Span<byte> destination)
    {
        TensorEntry entry = Find(name);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, entry.Length - destination.Length);
        _reader.ReadExactly(entry.Offset + offset, destination);
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => _reader.Dispose();

    private TensorEntry Find(string name)
    {
        if (Tensors.TryGetValue(name, out TensorEntry? entry)) return entry;
        if (Metadata.TryGetValue(name, out string? kept) && Tensors.TryGetValue(kept, out entry)) return entry;
        throw new CheckpointException(
            $"'{Path}' has no tensor '{name}' among its {Tensors.Count}: check that the file belongs to this model.");
    }
}
