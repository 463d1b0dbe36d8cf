using System.Buffers.Binary;

namespace Rpat.Formats.Files;

/// <summary>
/// Writes protocol-buffer messages field by field: a tag is field·8 + wire type (0 varint, 2 length and bytes, 5 four bytes,
/// 1 eight bytes). Fields are written in the order of the calls; omitted ones have their default.
/// </summary>
public sealed class ProtobufWriter
{
    private readonly MemoryStream _bytes = new();

    /// <summary>The message.</summary>
    public byte[] ToArray() => _bytes.ToArray();

    /// <summary>Writes the message to a stream.</summary>
    public void CopyTo(Stream stream) => _bytes.WriteTo(stream);

    /// <summary>An int32, int64, bool or enum field; negative numbers take ten bytes, as the format requires.</summary>
    public void Integer(int field, long value)
    {
        Tag(field, 0);
        Varint((ulong)value);
    }

    /// <summary>A float field.</summary>
    public void Float(int field, float value)
    {
        Tag(field, 5);
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteSingleLittleEndian(bytes, value);
        _bytes.Write(bytes);
    }

    /// <summary>A double field.</summary>
    public void Double(int field, double value)
    {
        Tag(field, 1);
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteDoubleLittleEndian(bytes, value);
        _bytes.Write(bytes);
    }

    /// <summary>A string field.</summary>
    public void Text(int field, string value) => Bytes(field, Encoding.UTF8.GetBytes(value));

    /// <summary>A bytes field.</summary>
    public void Bytes(int field, ReadOnlySpan<byte> value)
    {
        Tag(field, 2);
        Varint((ulong)value.Length);
        _bytes.Write(value);
    }

    /// <summary>A message field, or one more item of a repeated one.</summary>
    public void Message(int field, Action<ProtobufWriter> write)
    {
        var inner = new ProtobufWriter();
        write(inner);
        Tag(field, 2);
        Varint((ulong)inner._bytes.Length);
        inner.CopyTo(_bytes);
    }

    private void Tag(int field, int wire) => Varint((ulong)field * 8 + (ulong)wire);

    private void Varint(ulong value)
    {
        for (; value >= 0x80; value >>= 7) _bytes.WriteByte((byte)(value | 0x80));
        _bytes.WriteByte((byte)value);
    }
}
