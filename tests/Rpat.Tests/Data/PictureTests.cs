using System.Buffers.Binary;
using System.IO.Compression;
using Rpat.Tests.Golden;
using Rpat.Tests.IO;
using Rpat.Training.Data.Jpeg;

namespace Rpat.Tests.Data;

public sealed class PictureTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public static TheoryData<string> Files => [.. GoldenPictures.Names("file")];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Files))]
    public void PixelsAreThoseOfPillowToTheLastBit(string name)
    {
        RgbImage image = ImageFiles.Decode(_folder.Write("no-extension", GoldenPictures.Bytes("file", name)));
        (long[] shape, byte[] pixels) = GoldenPictures.Rgb(name);
        Assert.Equal([shape[0], shape[1]], new long[] { image.Height, image.Width });
        Assert.Equal(pixels, image.Pixels);
    }

    [Theory]
    [InlineData("tiff", "it is a TIFF")]
    [InlineData("bmp", "it is a BMP")]
    [InlineData("gif", "it is a GIF")]
    [InlineData("webp", "it is a WebP")]
    [InlineData("ppm", "an unknown kind")]
    [InlineData("arithmetic", "coded arithmetically")]
    public void OtherKindsAreNamedWhateverTheFileIsCalled(string name, string reason)
    {
        string path = _folder.Write("a.jpg", GoldenPictures.Bytes("refused", name));
        string message = Assert.Throws<DataException>(() => ImageFiles.Decode(path)).Message;
        Assert.Contains(reason, message, StringComparison.Ordinal);
        Assert.StartsWith($"'{path}' is not a sound picture (", message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void EveryCutIsRefusedAndWithZerosOrAnEndMarkInTheirPlaceToo(string name)
    {
        byte[] whole = Whole(name);
        for (int cut = 1; cut < whole.Length; cut += cut < 40 ? 1 : 13)
        {
            byte[] start = whole[..^cut];
            Refused(start);
            Refused([.. start, .. new byte[cut]]);
            if (cut > 40 && name.StartsWith("jpeg", StringComparison.Ordinal)) Refused([.. start, 0xFF, 0xD9]);
        }
    }

    // A run of zeros in the middle of a scan leaves data over or comes to their end.
    [Theory]
    [InlineData("jpeg-1x1")]
    [InlineData("jpeg-2x2")]
    [InlineData("jpeg-2x2-progressive")]
    [InlineData("jpeg-optimised")]
    public void AnOverwrittenMiddleIsRefused(string name)
    {
        byte[] whole = Whole(name);
        whole.AsSpan(whole.Length * 2 / 3, 150).Clear();
        Refused(whole);
    }

    [Fact]
    public void AMissingScanIsRefused()
    {
        byte[] whole = Whole("jpeg-1x1-progressive");
        int last = whole.AsSpan().LastIndexOf<byte>([0xFF, 0xDA]);
        Assert.Contains("last scans are missing", Refused([.. whole[..last], 0xFF, 0xD9]), StringComparison.Ordinal);
    }

    [Fact]
    public void AMissingRestartMarkerIsRefused()
    {
        byte[] whole = Whole("jpeg-restart");
        whole[whole.AsSpan().IndexOf<byte>([0xFF, 0xD1]) + 1] = 0xD2;
        Assert.Contains("restart marker D1 is missing", Refused(whole), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("png-rgb")]
    [InlineData("png-palette")]
    [InlineData("png-interlaced")]
    public void AChangedBitAnywhereInAPngIsRefused(string name)
    {
        byte[] whole = Whole(name);
        for (int at = 0; at < whole.Length; at += 7) Refused([.. whole[..at], (byte)(whole[at] ^ 16), .. whole[(at + 1)..]]);
    }

    [Theory]
    [InlineData("png-rgb", 60_000, 60_000)]
    [InlineData("png-rgb", 70_000, 10)]
    [InlineData("png-rgb", 9_999, 9_999)]
    [InlineData("png-rgb", 0, 10)]
    [InlineData("jpeg-1x1", 60_000, 60_000)]
    [InlineData("jpeg-1x1", 9_999, 9_999)]
    [InlineData("jpeg-2x2-progressive", 9_999, 9_999)]
    [InlineData("jpeg-1x1", 10, 0)]
    public void AHeaderThatAnnouncesMuchTakesNoMemory(string name, int width, int height)
    {
        byte[] file = WithSize(Whole(name), width, height);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Refused(file);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Fact]
    public void ATextThatUnpacksToMuchIsNotUnpacked()
    {
        using var packed = new MemoryStream();
        packed.Write("zTXtTitle\0\0"u8);
        using (var zlib = new ZLibStream(packed, CompressionLevel.Fastest, leaveOpen: true)) zlib.Write(new byte[8 << 20]);
        var frame = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(frame, (int)packed.Length - 4);
        byte[] length = [.. frame], whole = Whole("png-rgb");
        BinaryPrimitives.WriteUInt32BigEndian(frame, Crc32.Of(packed.ToArray()));
        byte[] file = [.. whole[..33], .. length, .. packed.ToArray(), .. frame, .. whole[33..]];
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal(GoldenPictures.Rgb("png-rgb").Pixels, ImageFiles.Decode(file).Pixels);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Fact]
    public void AFileThatNoPictureIsAsLongAsIsNotRead()
    {
        using (FileStream file = File.Create(_folder.File("long.png"))) file.SetLength(1L << 32);
        string Message(string path) => Assert.Throws<DataException>(() => ImageFiles.Decode(path)).Message;
        Assert.Contains("at most", Message(_folder.File("long.png")), StringComparison.Ordinal);
        Assert.Contains("is a folder", Message(_folder.Root), StringComparison.Ordinal);
    }

    // What follows the end mark is no part of a picture.
    private static byte[] Whole(string name)
    {
        byte[] file = GoldenPictures.Bytes("file", name);
        int behind = file.AsSpan().IndexOf("behind the end"u8);
        return behind < 0 ? file : file[..behind];
    }

    private static byte[] WithSize(byte[] file, int width, int height)
    {
        bool png = file[0] == 0x89;
        int at = png ? 16 : Math.Max(file.AsSpan().IndexOf<byte>([0xFF, 0xC0]), file.AsSpan().IndexOf<byte>([0xFF, 0xC2]));
        if (!png)
        {
            BinaryPrimitives.WriteUInt16BigEndian(file.AsSpan(at + 5), (ushort)height);
            BinaryPrimitives.WriteUInt16BigEndian(file.AsSpan(at + 7), (ushort)width);
            return file;
        }

        BinaryPrimitives.WriteInt32BigEndian(file.AsSpan(at), width);
        BinaryPrimitives.WriteInt32BigEndian(file.AsSpan(at + 4), height);
        BinaryPrimitives.WriteUInt32BigEndian(file.AsSpan(at + 13), Crc32.Of(file.AsSpan(at - 4, 17)));
        return file;
    }

    private static string Refused(byte[] file) => Assert.Throws<PictureException>(() => ImageFiles.Decode(file)).Message;
}
