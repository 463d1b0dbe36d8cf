namespace Rpat.Tests.IO;

public sealed class CifarBinaryTests : IDisposable
{
    private const int PixelBytes = 3072;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void BothKindsGiveTheSameImages()
    {
        LabeledImages ten = CifarBinary.ReadFile(_folder.Write("10", Records(CifarKind.Cifar10, 300)), CifarKind.Cifar10);
        LabeledImages hundred = CifarBinary.ReadFile(_folder.Write("100", Records(CifarKind.Cifar100, 300)), CifarKind.Cifar100);
        Assert.Equal((300, 3, 32, 32), (ten.Count, ten.Channels, ten.Height, ten.Width));
        Assert.Equal(ten.Pixels, hundred.Pixels);
        Assert.Equal(ten.Labels, hundred.Labels);
        Assert.Equal(Enumerable.Range(0, 300).Select(i => i % 10), ten.Labels);
        Assert.Equal(Pixel(299, 3071), ten.Image(299)[3071]);
    }

    [Fact]
    public void WholeSetIsReadInFileOrder()
    {
        foreach (string file in CifarBinary.FileNames(CifarKind.Cifar10, train: true))
        {
            byte[] bytes = new byte[10_000 * (PixelBytes + 1)];
            bytes[0] = (byte)(file[^5] - '0');
            _folder.Write(file, bytes);
        }

        LabeledImages set = CifarBinary.ReadSet(_folder.Root, CifarKind.Cifar10, train: true);
        Assert.Equal(50_000, set.Count);
        Assert.Equal([1, 2, 3, 4, 5], Enumerable.Range(0, 5).Select(i => set.Labels[10_000 * i]));
    }

    [Fact]
    public void EveryOtherLengthIsRefusedWithItsRecord()
    {
        byte[] whole = Records(CifarKind.Cifar10, 10);
        foreach (byte[] cut in TempFolder.Cut(whole).Where(cut => cut.Length % (PixelBytes + 1) != 0))
            AssertRefused(cut, CifarKind.Cifar10, $"record {cut.Length / (PixelBytes + 1)} at byte");
        _folder.Write("test_batch.bin", whole);
        string message = Assert.Throws<DataException>(() => CifarBinary.ReadSet(_folder.Root, CifarKind.Cifar10, train: false)).Message;
        Assert.Contains("ends at byte 30730, in record 10, where 10000 records of 3073 bytes", message, StringComparison.Ordinal);
    }

    [Fact]
    public void LabelsOutOfRangeAreRefusedWithTheirRecord()
    {
        byte[] ten = Records(CifarKind.Cifar10, 10);
        ten[7 * (PixelBytes + 1)] = 10;
        AssertRefused(ten, CifarKind.Cifar10, "record 7 has label 10 where 0 to 9");
        byte[] coarse = Records(CifarKind.Cifar100, 10);
        coarse[3 * (PixelBytes + 2)] = 20;
        AssertRefused(coarse, CifarKind.Cifar100, "record 3 has the coarse label 20 where 0 to 19");
        byte[] fine = Records(CifarKind.Cifar100, 10);
        fine[9 * (PixelBytes + 2) + 1] = 100;
        AssertRefused(fine, CifarKind.Cifar100, "record 9 has label 100 where 0 to 99");
    }

    [Fact]
    public void MissingFileIsNamed()
    {
        string message = Assert.Throws<DataException>(() => CifarBinary.ReadSet(_folder.Root, CifarKind.Cifar100, train: true)).Message;
        Assert.Contains(_folder.File("train.bin"), message, StringComparison.Ordinal);
    }

    [Fact]
    public void ThereIsANameForEveryClass()
    {
        IReadOnlyList<string> names = CifarBinary.ClassNames(CifarKind.Cifar100);
        Assert.Equal(100, names.Distinct().Count());
        Assert.Equal(names.Order(StringComparer.Ordinal), names);
        Assert.Equal(10, CifarBinary.ClassNames(CifarKind.Cifar10).Count);
    }

    private void AssertRefused(byte[] content, CifarKind kind, string part)
    {
        string path = _folder.Write("bad.bin", content);
        Assert.Contains(part, Assert.Throws<DataException>(() => CifarBinary.ReadFile(path, kind)).Message, StringComparison.Ordinal);
    }

    private static byte[] Records(CifarKind kind, int count) =>
    [
        .. Enumerable.Range(0, count).SelectMany(record => Enumerable.Range(0, PixelBytes).Select(at => Pixel(record, at))
            .Prepend((byte)(record % 10)).Prepend((byte)(record % 20)).Skip(kind == CifarKind.Cifar10 ? 1 : 0)),
    ];

    private static byte Pixel(int record, int at) => (byte)(record * 31 + at * 7);
}
