using System.Buffers.Binary;
using System.IO.Compression;
using Rpat.Training.Data.Jpeg;

namespace Rpat.Training.Data;

/// <summary>
/// Checks that a PNG file is complete before it is decoded, since decoders fill in missing data: every chunk's length and checksum, the
/// header's values, the number of pixels, and the end chunk (PNG specification, W3C 2003). Data after the end chunk are not part of it.
/// </summary>
internal static class PngCheck
{
    private const int ChunkFrame = 12; // length, type, checksum

    private static readonly byte[] _signature = [0x89, .. "PNG\r\n\x1a\n"u8];

    // Adam7: first row, first column, step of rows, step of columns of each pass.
    private static readonly (int Y, int X, int Down, int Across)[] _passes =
        [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)];

    /// <summary>Whether a file begins as a PNG does.</summary>
    public static bool Matches(ReadOnlySpan<byte> start) => start.StartsWith(_signature);

    /// <summary>Checks a file.</summary>
    /// <returns>The file without chunks that change no pixel: texts and profiles may unpack to any size, so they never reach a
    /// decoder.</returns>
    /// <exception cref="PictureException">It is damaged, truncated or too large.</exception>
    public static byte[] Essential(byte[] file)
    {
        using var essential = new MemoryStream(file.Length);
        using var packed = new MemoryStream();
        essential.Write(_signature);
        (long expected, bool needsPalette, bool palette) = (0, false, false);
        string type = "";
        for (int at = _signature.Length; type != "IEND";)
        {
            ReadOnlySpan<byte> chunk = Chunk(file, at), body = chunk[8..^4];
            type = Encoding.Latin1.GetString(chunk.Slice(4, 4));
            if ((type == "IHDR") != (at == _signature.Length)) throw new PictureException("it does not begin with its one header");
            if (type == "IHDR") (expected, needsPalette) = Header(body);
            if (type == "PLTE") palette = body.Length is > 0 and <= 768 && body.Length % 3 == 0;
            if (type == "IDAT") packed.Write(body);
            if (type is "IHDR" or "PLTE" or "IDAT" or "IEND") essential.Write(chunk);
            at += chunk.Length;
        }

        if (needsPalette && !palette) throw new PictureException("its palette is missing or damaged");
        packed.Position = 0;
        CheckPixels(packed, expected);
        return essential.ToArray();
    }

    // Length, type, data, checksum of type and data.
    private static ReadOnlySpan<byte> Chunk(byte[] file, int at)
    {
        long length = file.Length - at >= ChunkFrame ? BinaryPrimitives.ReadUInt32BigEndian(file.AsSpan(at)) : uint.MaxValue;
        if (length > file.Length - at - ChunkFrame) throw new PictureException($"it ends within the chunk at byte {at}");
        ReadOnlySpan<byte> chunk = file.AsSpan(at, ChunkFrame + (int)length);
        if (Crc32.Of(chunk[4..^4]) != BinaryPrimitives.ReadUInt32BigEndian(chunk[^4..]))
            throw new PictureException($"the check sum of the chunk at byte {at} is wrong");
        return chunk;
    }

    // The bytes of the unpacked rows of each pass: a filter's number and the pixels.
    private static (long Bytes, bool Palette) Header(ReadOnlySpan<byte> body)
    {
        if (body.Length != 13) throw new PictureException("its header is damaged");
        (uint width, uint height) = (BinaryPrimitives.ReadUInt32BigEndian(body), BinaryPrimitives.ReadUInt32BigEndian(body[4..]));
        (int depth, int colour, int interlace) = (body[8], body[9], body[12]);
        int channels = colour switch { 0 or 3 => 1, 2 => 3, 4 => 2, 6 => 4, _ => 0 };
        bool known = depth is 8 or 16 || (depth is 1 or 2 or 4 && channels == 1);
        if (channels == 0 || !known || (colour == 3 && depth == 16) || body[10] != 0 || body[11] != 0 || interlace > 1)
            throw new PictureException($"its header announces colour type {colour}, depth {depth}, interlace {interlace}: there is none");
        RgbImage.CheckSize(width, height);
        long Rows(long across, long down) => across == 0 ? 0 : down * (1 + (across * channels * depth + 7) / 8);
        long bytes = interlace == 0 ? Rows(width, height) : _passes.Sum(p => Rows(Steps(width, p.X, p.Across), Steps(height, p.Y, p.Down)));
        return (bytes, colour == 3);
    }

    private static long Steps(long size, int first, int step) => Math.Max(0, (size - first + step - 1) / step);

    private static void CheckPixels(Stream packed, long expected)
    {
        long found = 0;
        try
        {
            using var rows = new ZLibStream(packed, CompressionMode.Decompress);
            Span<byte> piece = new byte[1 << 14];
            for (int got = 1; got > 0 && found <= expected; found += got) got = rows.Read(piece);
        }
        catch (Exception error) when (error is InvalidDataException or IOException)
        {
            throw new PictureException("its packed pixels are damaged or cut short");
        }

        if (found > expected) throw new PictureException($"it holds more than the {expected} bytes of pixels that its header announces");
        if (found < expected) throw new PictureException($"it holds {found} of {expected} bytes of pixels");
    }
}
