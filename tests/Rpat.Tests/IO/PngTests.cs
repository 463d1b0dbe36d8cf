using System.Buffers.Binary;
using System.IO.Compression;

namespace Rpat.Tests.IO;

public sealed class PngTests
{
    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(7, 3, 1)]
    [InlineData(5, 9, 3)]
    [InlineData(33, 2, 4)]
    public void AReaderGetsTheSamePixels(int width, int height, int channels)
    {
        byte[] pixels = [.. Enumerable.Range(0, width * height * channels).Select(i => (byte)(i * 91 % 256))];
        byte[] png = Png.Encode(width, height, channels, pixels, "a title");
        Assert.Equal((width, height, channels), PngReader.Size(png));
        Assert.Equal(pixels, PngReader.Pixels(png));
        Assert.Equal(["IHDR", "tEXt", "IDAT", "IEND"], PngReader.Chunks(png).Select(chunk => chunk.Type));
    }

    [Fact]
    public void TheChecksumIsThatOfTheSpecification()
    {
        byte[] png = Png.Encode(1, 1, 1, [0]);
        Assert.Equal([0x49, 0x45, 0x4E, 0x44, 0xAE, 0x42, 0x60, 0x82], png[^8..]); // IEND and its CRC, as in every PNG
    }

    [Fact]
    public void SizesThatDoNotFitAreRefused()
    {
        Assert.Throws<ArgumentException>(() => Png.Encode(2, 2, 3, new byte[11]));
        Assert.Throws<ArgumentException>(() => Png.Encode(2, 2, 2, new byte[8]));
        Assert.Throws<ArgumentException>(() => Png.Encode(0, 2, 3, []));
    }
}

/// <summary>Reads what our writer writes, and checks every checksum.</summary>
internal static class PngReader
{
    public static IEnumerable<(string Type, byte[] Data)> Chunks(byte[] png)
    {
        Assert.Equal([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A], png[..8]);
        for (int at = 8; at < png.Length;)
        {
            int length = BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(at));
            byte[] body = png[(at + 4)..(at + 8 + length)];
            Assert.Equal(Crc(body), BinaryPrimitives.ReadUInt32BigEndian(png.AsSpan(at + 8 + length)));
            yield return (Encoding.ASCII.GetString(body, 0, 4), body[4..]);
            at += 12 + length;
        }
    }

    public static (int Width, int Height, int Channels) Size(byte[] png)
    {
        byte[] header = Chunks(png).First().Data;
        Assert.Equal(8, header[8]);
        return (BinaryPrimitives.ReadInt32BigEndian(header), BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(4)),
            header[9] switch { 0 => 1, 2 => 3, _ => 4 });
    }

    public static byte[] Pixels(byte[] png)
    {
        (int width, int height, int channels) = Size(png);
        using var zlib = new ZLibStream(new MemoryStream(Chunks(png).First(chunk => chunk.Type == "IDAT").Data),
            CompressionMode.Decompress);
        List<byte> pixels = [];
        for (int y = 0; y < height; y++)
        {
            Assert.Equal(0, zlib.ReadByte());
            byte[] row = new byte[width * channels];
            zlib.ReadExactly(row);
            pixels.AddRange(row);
        }

        Assert.Equal(-1, zlib.ReadByte());
        return [.. pixels];
    }

    // Bit by bit, as the specification defines it.
    private static uint Crc(byte[] bytes)
    {
        uint crc = uint.MaxValue;
        foreach (byte b in bytes)
        {
            crc ^= b;
            for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (0xEDB88320 & (uint)-(int)(crc & 1));
        }

        return ~crc;
    }
}
