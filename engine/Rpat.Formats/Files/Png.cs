using System.Buffers.Binary;
using System.IO.Compression;

namespace Rpat.Formats.Files;

/// <summary>Writes PNG images: 8 bits per channel, grey, RGB or RGBA, not interlaced (PNG specification, W3C 2003).</summary>
public static class Png
{
    private static readonly byte[] _signature = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A];

    /// <summary>Encodes an image.</summary>
    /// <param name="channels">1 for grey, 3 for RGB, 4 for RGBA.</param>
    /// <param name="pixels">[height, width, channels], row by row.</param>
    /// <param name="title">A title that viewers may show, or null.</param>
    /// <returns>The file's bytes; the same image gives the same bytes.</returns>
    /// <exception cref="ArgumentException">The sizes are not positive, or the number of pixels does not match them.</exception>
    public static byte[] Encode(int width, int height, int channels, ReadOnlySpan<byte> pixels, string? title = null)
    {
        if (width <= 0 || height <= 0 || channels is not (1 or 3 or 4) || (long)width * height * channels != pixels.Length)
            throw new ArgumentException($"A PNG image of {width}x{height}x{channels} cannot be made of {pixels.Length} bytes.",
                nameof(pixels));
        using var file = new MemoryStream();
        file.Write(_signature);
        Chunk(file, "IHDR", Header(width, height, channels));
        if (title is not null) Chunk(file, "tEXt", Encoding.Latin1.GetBytes($"Title\0{title}"));
        Chunk(file, "IDAT", Compressed(height, pixels));
        Chunk(file, "IEND", []);
        return file.ToArray();
    }

    /// <summary>Writes an image atomically.</summary>
    /// <param name="path">The file to make or replace.</param>
    /// <param name="channels">1 for grey, 3 for RGB, 4 for RGBA.</param>
    /// <param name="pixels">[height, width, channels], row by row.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(string path, int width, int height, int channels, ReadOnlySpan<byte> pixels)
    {
        byte[] png = Encode(width, height, channels, pixels);
        AtomicFile.Write(path, stream => stream.Write(png));
    }

    private static byte[] Header(int width, int height, int channels)
    {
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        header[8] = 8;
        header[9] = (byte)(channels == 1 ? 0 : channels == 3 ? 2 : 6);
        return header;
    }

    // A filter byte of 0, none, precedes each row.
    private static byte[] Compressed(int height, ReadOnlySpan<byte> pixels)
    {
        using var bytes = new MemoryStream();
        using (var zlib = new ZLibStream(bytes, CompressionLevel.Optimal, leaveOpen: true))
        {
            int row = pixels.Length / height;
            for (int y = 0; y < height; y++)
            {
                zlib.WriteByte(0);
                zlib.Write(pixels.Slice(y * row, row));
            }
        }

        return bytes.ToArray();
    }

    // Length, type, data, CRC over type and data.
    private static void Chunk(Stream file, string type, ReadOnlySpan<byte> data)
    {
        byte[] body = [.. Encoding.ASCII.GetBytes(type), .. data];
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, data.Length);
        file.Write(number);
        file.Write(body);
        BinaryPrimitives.WriteUInt32BigEndian(number, Crc32.Of(body));
        file.Write(number);
    }
}
