namespace Rpat.Formats.Arrays;

/// <summary>One tensor of an open file: its type, shape and position.</summary>
/// <param name="Type">The element type; null for one that cannot be read.</param>
/// <param name="Shape">The sizes, slowest first; empty for a scalar.</param>
/// <param name="Offset">The first byte, counted from the start of the file.</param>
/// <param name="Length">The number of bytes; may exceed 2 GiB.</param>
public sealed record TensorEntry(string Name, ElementType? Type, long[] Shape, long Offset, long Length)
{
    /// <summary>The file's name for a type that cannot be read.</summary>
    public string? OtherType { get; init; }
}

/// <summary>An open safetensors file whose tensors are read on demand. Reading from several threads at once is safe.</summary>
public sealed class SafetensorsFile : IDisposable
{
    private readonly FileReader _reader;
    private readonly SafetensorsHeader _header;

    internal SafetensorsFile(FileReader reader, SafetensorsHeader header)
    {
        _reader = reader;
        _header = header;
    }

    /// <summary>The file's path as given.</summary>
    public string Path => _reader.Path;

    /// <summary>The free text of the header's <c>__metadata__</c>; empty when there is none.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _header.Metadata;

    /// <summary>The stored tensors by name.</summary>
    public IReadOnlyDictionary<string, TensorEntry> Tensors => _header.Tensors;

    /// <summary>Whether the file contains the SHA-256 of its bytes, as those written by rpat do.</summary>
    public bool HasDigest => SafetensorsDigest.IsIn(Metadata);

    /// <summary>Reads the whole file and compares its SHA-256 with the stored one, if any.</summary>
    /// <exception cref="CheckpointException">They differ, or the file cannot be read.</exception>
    public void CheckDigest()
    {
        if (HasDigest && !SafetensorsDigest.Holds(_reader, _header))
            throw new CheckpointException(
                $"'{Path}' is damaged: the SHA-256 of its bytes is not the one that it was written with; copy it again, or take an "
                    + $"earlier one.");
    }

    /// <summary>Reads a tensor. If the writer stored it under another name of the same memory, the metadata lead to it.</summary>
    /// <exception cref="CheckpointException">There is no such tensor, its type is not supported, it exceeds 2
    /// GiB, or the file cannot be read.</exception>
    public NamedArray Load(string name)
    {
        TensorEntry entry = Find(name);
        if (entry.Length > Array.MaxLength)
            throw new CheckpointException(
                $"Tensor '{name}' in '{Path}' has {entry.Length} bytes, more than one array holds: read it in pieces.");
        if (entry.Type is not { } type) throw UnknownKind.OfElements(Path, name, entry.OtherType!);
        byte[] data = new byte[entry.Length];
        _reader.ReadExactly(entry.Offset, data);
        return new NamedArray(name, type, entry.Shape, data);
    }

    /// <summary>Reads a part of a tensor's bytes, straight into <paramref name="destination"/>.</summary>
    /// <param name="offset">The first byte, counted from the start of the tensor.</param>
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
