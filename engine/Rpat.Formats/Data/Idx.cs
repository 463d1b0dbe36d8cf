using System.Buffers.Binary;
using System.IO.Compression;

namespace Rpat.Formats.Data;

/// <summary>
/// The IDX format of the MNIST family: big-endian sizes and elements, plain or gzip-packed, which is detected from the first two bytes,
/// not from the file's name. Arrays hold at most 2 GiB.
/// </summary>
public static class Idx
{
    private const int MaxRank = 8;

    /// <summary>Reads a file.</summary>
    /// <param name="path">The IDX file, packed or not; its file name becomes the array's name.</param>
    /// <exception cref="DataException">The file is missing, damaged, truncated or too long.</exception>
    public static NamedArray Read(string path)
    {
        using (FileReader.OpenData(path))
        using (var stream = RegularFile.Open(path))
            return Read(stream, path);
    }

    /// <summary>Reads from a seekable stream, to its end.</summary>
    /// <param name="stream">The content, packed or not.</param>
    /// <param name="path">The source's name in errors; its file name becomes the array's name.</param>
    /// <exception cref="DataException">The content is damaged, truncated or too long.</exception>
    public static NamedArray Read(Stream stream, string path)
    {
        bool packed = stream.ReadByte() == 0x1F && stream.ReadByte() == 0x8B;
        stream.Position = 0;
        try
        {
            if (!packed) return ReadPlain(stream, path);
            using var unpacked = new SumStream(new GZipStream(stream, CompressionMode.Decompress, leaveOpen: true));
            NamedArray array = ReadPlain(unpacked, path, stream.Length);
            CheckEnd(stream, unpacked, path);
            return array;
        }
        catch (Exception error) when (error is InvalidDataException or IOException)
        {
            throw new DataException($"'{path}' cannot be unpacked ({error.Message.TrimEnd('.')}): copy it again.", error);
        }
    }

    /// <summary>Writes an array of type U8, I8, I16, I32, F32 or F64.</summary>
    /// <param name="stream">Receives the bytes.</param>
    /// <param name="array">The array; its name is not stored.</param>
    /// <exception cref="ArgumentException">IDX has no code for the type, or a size exceeds 2^32 - 1.</exception>
    public static void Write(Stream stream, NamedArray array, bool pack)
    {
        byte[] header = Header(array);
        byte[] data = array.Data.ToArray();
        StreamReading.SwapBytes(data, array.Type);
        using Stream? packed = pack ? new GZipStream(stream, CompressionLevel.SmallestSize, leaveOpen: true) : null;
        (packed ?? stream).Write(header);
        (packed ?? stream).Write(data);
    }

    // The base library neither checks gzip's closing checksum and length nor reports what follows them.
    private static void CheckEnd(Stream stream, SumStream unpacked, string path)
    {
        Span<byte> end = stackalloc byte[8];
        stream.Position = Math.Max(0, stream.Length - end.Length);
        stream.ReadExactly(end);
        (uint sum, uint count) = (BinaryPrimitives.ReadUInt32LittleEndian(end), BinaryPrimitives.ReadUInt32LittleEndian(end[4..]));
        if (sum != unpacked.Sum || count != (uint)unpacked.Count)
            throw Error(path,
                "its last bytes are not its content's check sum and length, so it is cut or damaged, or something was appended");
    }

    private static NamedArray ReadPlain(Stream stream, string path, long packed = long.MaxValue)
    {
        byte[] start = ReadExactly(stream, 4, path, 0);
        ElementType? type = TypeOf(start[2]);
        if (start[0] != 0 || start[1] != 0 || type is null || start[3] is 0 or > MaxRank)
            throw Error(path, $"it begins with {Convert.ToHexString(start)}, not with 0000, a type code and 1 to {MaxRank} dimensions");
        byte[] sizes = ReadExactly(stream, 4 * start[3], path, 4);
        var shape = new long[start[3]];
        for (int i = 0; i < shape.Length; i++) shape[i] = BinaryPrimitives.ReadUInt32BigEndian(sizes.AsSpan(4 * i));
        byte[] data = ReadData(stream, shape, type.Value, path, packed);
        StreamReading.SwapBytes(data, type.Value);
        return new NamedArray(Path.GetFileName(path), type.Value, shape, data);
    }

    private static byte[] ReadData(Stream stream, long[] shape, ElementType type, string path, long packed)
    {
        int start = 4 + 4 * shape.Length;
        long? expected = ArrayShape.Bytes(shape, type);
        if (expected is null || expected > Array.MaxLength) throw Error(path, $"its shape {ArrayShape.Text(shape)} passes 2 GiB");
        if (Unpacking.TooMuch(expected.Value, packed) is { } reason) throw Error(path, reason);
        byte[] data = ReadExactly(stream, (int)expected, path, start);
        if (stream.ReadByte() < 0) return data;
        throw Error(path, $"more bytes follow the {start + expected} that its shape {ArrayShape.Text(shape)} needs");
    }

    private static byte[] ReadExactly(Stream stream, int count, string path, int offset)
    {
        byte[] bytes = StreamReading.ReadUpTo(stream, count);
        if (bytes.Length == count) return bytes;
        throw Error(path, $"{count} bytes are expected at offset {offset} and {bytes.Length} are there");
    }

    private static byte[] Header(NamedArray array)
    {
        byte code = TypeCode(array.Type);
        if (array.Shape.Length is 0 or > MaxRank || array.Shape.Any(size => size > uint.MaxValue))
            throw new ArgumentException(
                $"Shape {ArrayShape.Text(array.Shape)} of '{array.Name}' does not fit an IDX file: use .npy.", nameof(array));
        byte[] header = new byte[4 + 4 * array.Shape.Length];
        header[2] = code;
        header[3] = (byte)array.Shape.Length;
        for (int i = 0; i < array.Shape.Length; i++)
            BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(4 + 4 * i), (uint)array.Shape[i]);
        return header;
    }

    private static ElementType? TypeOf(byte code) => code switch
    {
        0x08 => ElementType.U8,
        0x09 => ElementType.I8,
        0x0B => ElementType.I16,
        0x0C => ElementType.I32,
        0x0D => ElementType.F32,
        0x0E => ElementType.F64,
        _ => null,
    };

    private static byte TypeCode(ElementType type) => type switch
    {
        ElementType.U8 => 0x08,
        ElementType.I8 => 0x09,
        ElementType.I16 => 0x0B,
        ElementType.I32 => 0x0C,
        ElementType.F32 => 0x0D,
        ElementType.F64 => 0x0E,
        _ => throw new ArgumentException($"IDX has no code for elements of type {type}: use .npy.", nameof(type)),
    };

    private static DataException Error(string path, string what) => new($"'{path}' is not a sound IDX file: {what}; copy it again.");
}
