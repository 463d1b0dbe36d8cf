using System.Buffers.Binary;

namespace Rpat.Formats.Arrays;

/// <summary>NumPy's .npy format, versions 1.0 to 3.0. Arrays hold at most 2 GiB.</summary>
public static class Npy
{
    private const int MaxHeader = 10_000;

    /// <summary>Reads a file; big-endian and Fortran-ordered data are converted to little-endian and row-major.</summary>
    /// <param name="path">The .npy file; its name without the extension becomes the array's name.</param>
    /// <exception cref="DataException">The file is missing, damaged, truncated, or of an unsupported type.</exception>
    public static NamedArray Read(string path)
    {
        using FileReader file = FileReader.OpenData(path);
        using var stream = RegularFile.Open(path);
        return Read(stream, Path.GetFileNameWithoutExtension(path), file.Length, $"'{path}'");
    }

    /// <summary>Writes a version 1.0 file atomically. BF16 has no NumPy type: its bits are written as unsigned 16-bit numbers.</summary>
    /// <param name="path">The file to make or replace.</param>
    /// <param name="array">The array; its name is not stored.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(string path, NamedArray array) => AtomicFile.Write(path, stream => Write(stream, array));

    /// <summary>The bytes in front of the data of a version 1.0 file, for files whose data are written piece by piece.</summary>
    public static byte[] Header(ElementType type, params ReadOnlySpan<long> shape) => NpyHeader.Format(type, shape);

    internal static void Write(Stream stream, NamedArray array)
    {
        stream.Write(NpyHeader.Format(array.Type, array.Shape));
        stream.Write(array.Data.Span);
    }

    /// <summary>Reads one array that must fill <paramref name="length"/> bytes; <paramref name="where"/> names it in errors.</summary>
    internal static NamedArray Read(Stream stream, string name, long length, string where)
    {
        (NpyHeader header, int start) = ReadHeader(stream, where);
        if (header.Type is not { } type)
            throw Error(where, $"in its header elements of type '{header.NumpyName}' are not supported",
                "save it again as a plain array of numbers");
        long? expected = ArrayShape.Bytes(header.Shape, type);
        if (expected is null || expected > Array.MaxLength)
            throw Error(where, $"its shape {ArrayShape.Text(header.Shape)} is impossible or passes 2 GiB", "split it");
        if (start + expected != length)
            throw Error(where, $"shape {ArrayShape.Text(header.Shape)} needs {expected} bytes from offset {start}, found {length - start}");
        byte[] data = StreamReading.ReadUpTo(stream, (int)expected);
        if (data.Length != expected || stream.ReadByte() >= 0)
            throw Error(where, $"its data at offset {start} do not have the announced {expected} bytes");
        if (header.BigEndian) StreamReading.SwapBytes(data, type);
        if (header.FortranOrder) data = Gather(data, header.Shape, FortranStrides(header.Shape), type.Size());
        return new NamedArray(name, type, header.Shape, data);
    }

    /// <summary>Reads the header, and returns where the data begin.</summary>
    internal static (NpyHeader Header, int Start) ReadHeader(Stream stream, string where)
    {
        byte[] prefix = ReadExactly(stream, 8, where);
        if (!prefix.AsSpan(0, 6).SequenceEqual(NpyHeader.Magic))
            throw Error(where, "it does not begin with the .npy mark", "check that it was saved by numpy.save");
        if (prefix[6] is < 1 or > 3) throw Error(where, $"its version {prefix[6]}.{prefix[7]} at offset 6 is not 1.0, 2.0 or 3.0");
        byte[] size = ReadExactly(stream, prefix[6] == 1 ? 2 : 4, where);
        uint length = size.Length == 2 ? BinaryPrimitives.ReadUInt16LittleEndian(size) : BinaryPrimitives.ReadUInt32LittleEndian(size);
        if (length > MaxHeader) throw Error(where, $"its header at offset 8 claims {length} bytes where at most {MaxHeader} are allowed");
        byte[] text = ReadExactly(stream, (int)length, where);
        try
        {
            Encoding encoding = prefix[6] == 3 ? Encoding.UTF8 : Encoding.Latin1;
            return (NpyHeader.Parse(encoding.GetString(text)), prefix.Length + size.Length + text.Length);
        }
        catch (FormatException error)
        {
            throw Error(where, $"in its header {error.Message}", "save it again as a plain array of numbers");
        }
    }

    private static byte[] ReadExactly(Stream stream, int count, string where)
    {
        byte[] bytes = StreamReading.ReadUpTo(stream, count);
        return bytes.Length == count ? bytes : throw Error(where, "it ends within its header");
    }

    /// <summary>The strides of an array in Fortran's order, in elements: its first axis has 1.</summary>
    internal static long[] FortranStrides(long[] shape) => [.. Strides([.. shape.Reverse()]).Reverse()];

    /// <summary>The strides of a row-major array, in elements.</summary>
    internal static long[] Strides(long[] shape)
    {
        var strides = new long[shape.Length];
        long stride = 1;
        for (int axis = shape.Length - 1; axis >= 0; stride *= shape[axis--]) strides[axis] = stride;
        return strides;
    }

    /// <summary>Copies elements that lie at strides, counted in elements, row-major: transposed, sliced and expanded arrays.</summary>
    internal static byte[] Gather(byte[] source, long[] shape, long[] strides, int size)
    {
        byte[] result = new byte[shape.Aggregate((long)size, (bytes, length) => bytes * length)];
        var index = new long[shape.Length];
        long from = 0;
        for (int to = 0; to < result.Length; to += size)
        {
            source.AsSpan((int)(from * size), size).CopyTo(result.AsSpan(to));
            from = Advance(index, shape, strides, from);
        }

        return result;
    }

    // The position of the next element in row-major order.
    private static long Advance(long[] index, long[] shape, long[] strides, long from)
    {
        for (int axis = shape.Length - 1; axis >= 0; axis--)
        {
            from += strides[axis];
            if (++index[axis] < shape[axis]) return from;
            from -= index[axis] * strides[axis];
            index[axis] = 0;
        }

        return from;
    }

    private static DataException Error(string where, string what, string fix = "save it again") =>
        new($"{where} is not a sound NumPy array: {what}; {fix}.");
}
