using System.Buffers.Binary;
using System.IO.Compression;

namespace Rpat.Tests.IO;

public sealed class NpzTests : IDisposable
{
    private static readonly NamedArray[] _arrays =
        [NamedArray.FromFloats("x", [.. Enumerable.Range(0, 600).Select(i => i * 0.5f)], 20, 30), NamedArray.FromInt64("y", [3, 1], 2)];

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void BothMethodsSurviveAndRepeatByteForByte(bool compress)
    {
        Npz.Write(_folder.File("a.npz"), _arrays, compress);
        Npz.Write(_folder.File("b.npz"), _arrays, compress);
        Assert.Equal(File.ReadAllBytes(_folder.File("a.npz")), File.ReadAllBytes(_folder.File("b.npz")));
        IReadOnlyDictionary<string, NamedArray> read = Npz.Read(_folder.File("a.npz"));
        Assert.Equal(["x", "y"], read.Keys);
        Assert.Equal(_arrays[0].ToFloats(), read["x"].ToFloats());
        Assert.Equal([20L, 30L], read["x"].Shape);
        Assert.Equal(["y"], Npz.Read(_folder.File("a.npz"), name => name == "y").Keys);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void EveryTruncationIsRefused(bool compress)
    {
        Npz.Write(_folder.File("a.npz"), _arrays, compress);
        foreach (byte[] cut in TempFolder.Cut(File.ReadAllBytes(_folder.File("a.npz")))) AssertRefused(cut);
    }

    [Fact]
    public void DamagedBytesNeverRaiseAnythingElse()
    {
        Npz.Write(_folder.File("a.npz"), _arrays);
        byte[] whole = File.ReadAllBytes(_folder.File("a.npz"));
        for (int at = 0; at < whole.Length; at++)
        {
            byte[] damaged = [.. whole];
            damaged[at] ^= 0x5A;
            string path = _folder.Write("x.npz", damaged);
            if (Record.Exception(() => Npz.Read(path)) is { } error) Assert.IsType<DataException>(error);
        }
    }

    // The zip's directory and the array's header both claim bytes that are not there.
    [Theory]
    [InlineData(400 << 20, "announced")]
    [InlineData(0x7FFFFF00, "would unpack to 2147483392, over 100 times as many")]
    public void FalseSizeDoesNotTakeMemory(int claimed, string reason)
    {
        using (ZipArchive zip = ZipFile.Open(_folder.File("h.npz"), ZipArchiveMode.Create))
        {
            using Stream stream = zip.CreateEntry("x.npy").Open();
            stream.Write(NpyHeader.Format(ElementType.U8, [claimed - 128]));
            stream.WriteByte(1);
        }

        string path = ChangeDirectory("h.npz", 24, claimed);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Contains(reason, Assert.Throws<DataException>(() => Npz.Read(path)).Message, StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 8 << 20);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void AWrongCheckSumIsRefused(bool compress)
    {
        Npz.Write(_folder.File("a.npz"), _arrays, compress);
        string path = ChangeDirectory("a.npz", 16, 0);
        string message = Assert.Throws<DataException>(() => Npz.Read(path)).Message;
        Assert.Matches("check sum of member 'y.npy' is .* where 00000000 is expected", message);
        Assert.Equal(["x"], Npz.Read(path, name => name == "x").Keys);
    }

    [Fact]
    public void AnArrayThatIsLongerThanItCanBeIsNotRead()
    {
        Npz.Write(_folder.File("a.npz"), _arrays);
        string message = Assert.Throws<DataException>(() => Npz.Read(_folder.File("a.npz"), name => name == "y" ? 100 : 0)).Message;
        Assert.Contains("array 'y' has 144 bytes where at most 100 can be needed", message, StringComparison.Ordinal);
    }

    // Changes a field of the last member's entry in the zip's directory.
    private string ChangeDirectory(string name, int field, int value)
    {
        byte[] bytes = File.ReadAllBytes(_folder.File(name));
        int directory = bytes.AsSpan().LastIndexOf("PK\u0001\u0002"u8);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(directory + field), value);
        return _folder.Write(name, bytes);
    }

    [Fact]
    public void NameThatOccursTwiceIsRefused()
    {
        using (ZipArchive zip = ZipFile.Open(_folder.File("d.npz"), ZipArchiveMode.Create))
        {
            for (int i = 0; i < 2; i++)
            {
                using Stream stream = zip.CreateEntry("x.npy").Open();
                Npy.Write(stream, _arrays[1]);
            }
        }

        string message = Assert.Throws<DataException>(() => Npz.Read(_folder.File("d.npz"))).Message;
        Assert.Contains("two arrays called 'x'", message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => Npz.Write(_folder.File("e.npz"), [_arrays[0], _arrays[0]]));
    }

    [Fact]
    public void ErrorInAnArrayNamesItAndTheFile()
    {
        using (ZipArchive zip = ZipFile.Open(_folder.File("d.npz"), ZipArchiveMode.Create))
        {
            using Stream stream = zip.CreateEntry("x.npy").Open();
            stream.Write("not an array"u8);
        }

        string message = Assert.Throws<DataException>(() => Npz.Read(_folder.File("d.npz"))).Message;
        Assert.StartsWith($"Array 'x' in '{_folder.File("d.npz")}'", message, StringComparison.Ordinal);
    }

    private void AssertRefused(byte[] content)
    {
        string path = _folder.Write("bad.npz", content);
        Assert.Contains(path, Assert.Throws<DataException>(() => Npz.Read(path)).Message, StringComparison.Ordinal);
    }
}
