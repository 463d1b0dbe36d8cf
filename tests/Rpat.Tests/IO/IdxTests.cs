using System.IO.Compression;

namespace Rpat.Tests.IO;

public sealed class IdxTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>Whole files by hand: type code, one value, and the value.</summary>
    public static TheoryData<string, ElementType, float> Files => new()
    {
        { "000008010000000107", ElementType.U8, 7 },
        { "0000090100000001FF", ElementType.I8, -1 },
        { "00000B0100000001FF00", ElementType.I16, -256 },
        { "00000C010000000100000102", ElementType.I32, 258 },
        { "00000D0100000001C0200000", ElementType.F32, -2.5f },
        { "00000E0100000001C004000000000000", ElementType.F64, -2.5f },
    };

    [Theory]
    [MemberData(nameof(Files))]
    public void EveryTypeIsReadAndWritten(string hex, ElementType type, float value)
    {
        NamedArray array = Idx.Read(_folder.Write("a", Convert.FromHexString(hex)));
        Assert.Equal((type, "a"), (array.Type, array.Name));
        Assert.Equal([value], array.ToFloats());
        using var written = new MemoryStream();
        Idx.Write(written, array, pack: false);
        Assert.Equal(hex, Convert.ToHexString(written.ToArray()));
    }

    [Fact]
    public void PackedFilesAreKnownByTheirContent()
    {
        var array = new NamedArray("a", ElementType.I16, [2, 3, 4], Enumerable.Range(0, 48).Select(i => (byte)i).ToArray());
        NamedArray read = Idx.Read(_folder.Write("no-extension", File(array, pack: true)));
        Assert.Equal(array.Shape, read.Shape);
        Assert.Equal(array.Data.ToArray(), read.Data.ToArray());
    }

    [Theory]
    [InlineData("", "4 bytes are expected at offset 0 and 0")]
    [InlineData("01000801000000010A", "not with 0000")]
    [InlineData("00000A01000000010A", "not with 0000")]
    [InlineData("000008000A", "not with 0000")]
    [InlineData("0000080900000001", "1 to 8 dimensions")]
    [InlineData("000008020000000100", "8 bytes are expected at offset 4 and 5")]
    [InlineData("0000080100000002AA", "2 bytes are expected at offset 8 and 1")]
    [InlineData("0000080100000001AABB", "more bytes follow")]
    [InlineData("00000801FFFFFFFFAA", "passes 2 GiB")]
    [InlineData("000008010FFFFFFFAA", "268435455 bytes are expected at offset 8 and 1")]
    [InlineData("00000803FFFFFFFFFFFFFFFFFFFFFFFFAA", "passes 2 GiB")]
    public void BadFileIsRefused(string hex, string part)
    {
        string path = _folder.Write("bad", Convert.FromHexString(hex));
        string message = Assert.Throws<DataException>(() => Idx.Read(path)).Message;
        Assert.Contains(part, message, StringComparison.Ordinal);
        Assert.Contains(path, message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void FalseSizeDoesNotTakeMemory(bool pack)
    {
        byte[] content = Convert.FromHexString("000008017FFFFF00AA");
        if (pack) content = Packed(content);
        string path = _folder.Write("hostile", content);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<DataException>(() => Idx.Read(path));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 8 << 20);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void EveryTruncationIsRefused(bool pack)
    {
        var array = new NamedArray("a", ElementType.U8, [40, 5], Enumerable.Range(0, 200).Select(i => (byte)(i * i)).ToArray());
        foreach (byte[] cut in TempFolder.Cut(File(array, pack)))
        {
            string path = _folder.Write("cut", cut);
            Assert.Throws<DataException>(() => Idx.Read(path));
        }
    }

    [Theory]
    [InlineData("00")]
    [InlineData("6D6F72652062797465732068657265")]
    public void WhatFollowsThePackedContentIsRefused(string appended)
    {
        string path = _folder.Write("more", [.. Packed(Convert.FromHexString("000008010000000107")), .. Convert.FromHexString(appended)]);
        Assert.Contains("something was appended", Assert.Throws<DataException>(() => Idx.Read(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AFileThatUnpacksToFarMoreIsRefused()
    {
        string path = _folder.Write("bomb", Packed([.. Convert.FromHexString("0000080130000000"), .. new byte[1 << 20]]));
        string message = Assert.Throws<DataException>(() => Idx.Read(path)).Message;
        Assert.Contains("would unpack to 805306368, over 100 times", message, StringComparison.Ordinal);
    }

    [Fact]
    public void TypesWithoutACodeAreRefused()
    {
        Assert.Throws<ArgumentException>(() => File(NamedArray.FromInt64("a", [1], 1), pack: false));
        Assert.Throws<ArgumentException>(() => File(NamedArray.FromFloats("a", [1]), pack: false));
    }

    private static byte[] Packed(byte[] content)
    {
        using var stream = new MemoryStream();
        using (var gzip = new GZipStream(stream, CompressionLevel.Fastest, leaveOpen: true)) gzip.Write(content);
        return stream.ToArray();
    }

    private static byte[] File(NamedArray array, bool pack)
    {
        using var stream = new MemoryStream();
        Idx.Write(stream, array, pack);
        return stream.ToArray();
    }
}
