using System.Buffers.Binary;
using Rpat.Tests.Golden;

namespace Rpat.Tests.IO;

public sealed class CifarPythonTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(CifarKind.Cifar10)]
    [InlineData(CifarKind.Cifar100)]
    public void TheBinaryAndThePythonVersionGiveTheSameImages(CifarKind kind)
    {
        LabeledImages set = Images(kind, 12);
        CifarBinary.WriteFile(_folder.File("binary"), kind, set);
        LabeledImages binary = CifarBinary.ReadFile(_folder.File("binary"), kind);
        LabeledImages python = CifarPython.ReadFile(_folder.Write("python", Pickle(kind, set.Pixels, set.Labels)), kind);
        Assert.Equal(binary.Pixels, python.Pixels);
        Assert.Equal(binary.Labels, python.Labels);
        Assert.Equal((12, 3, 32, 32, binary.Name), (python.Count, python.Channels, python.Height, python.Width, python.Name));
    }

    public static TheoryData<string> Rewritten => [.. GoldenPictures.Names("cifar")];

    [Theory]
    [MemberData(nameof(Rewritten))]
    public void BatchesThatOtherToolsWroteAgainAreRead(string form)
    {
        LabeledImages read = CifarPython.ReadFile(_folder.Write("batch", GoldenPictures.Bytes("cifar", form)), CifarKind.Cifar10);
        Assert.Equal(Enumerable.Range(0, 2 * 3072).Select(i => (byte)(31 * i % 253)), read.Pixels);
        Assert.Equal([3, 7], read.Labels);
    }

    /// <summary>numpy 2 writes a transposed array as the bytes that it has, their shape, "K", and the axes.</summary>
    [Theory]
    [InlineData("K", new[] { 0, 2, 3, 1 }, "")]
    [InlineData("K", new[] { 0, 2, 3, 3 }, "no array or list 'data'")]
    [InlineData("C", new[] { 0, 2, 3, 1 }, "no array or list 'data'")]
    public void ATransposedArrayOfNumpy2IsReadInItsOwnOrder(string order, int[] axes, string reason)
    {
        byte[] planes = [.. Enumerable.Range(0, 2 * 3072).Select(i => (byte)(31 * i % 253))];
        var p = new MemoryStream();
        void Ascii(string text) => p.Write(Encoding.ASCII.GetBytes(text));
        void Name(string text)
        {
            p.Write([0x8c, (byte)text.Length]);
            Ascii(text);
        }
        void Tuple(IEnumerable<int> items) => p.Write([(byte)'(', .. items.SelectMany(i => new[] { (byte)'K', (byte)i }), (byte)'t']);
        p.Write([0x80, 5, (byte)'}', (byte)'(']);
        Name("data");
        Ascii("cnumpy._core.numeric\n_frombuffer\n(B");
        p.Write(BitConverter.GetBytes(planes.Length));
        p.Write(planes);
        Ascii("cnumpy\ndtype\n");
        Name("u1");
        p.Write([0x89, 0x88, 0x87, (byte)'R']);
        Tuple([2, 3, 32, 32]);
        Name(order);
        Tuple(axes);
        Ascii("tR");
        Name("labels");
        p.Write([(byte)']', (byte)'(', (byte)'K', 3, (byte)'K', 7, (byte)'e', (byte)'u', (byte)'.']);
        if (reason.Length > 0)
        {
            AssertRefused(p.ToArray(), reason);
            return;
        }
        LabeledImages read = CifarPython.ReadFile(_folder.Write("batch", p.ToArray()), CifarKind.Cifar10);
        Assert.Equal(planes, read.Pixels);
        Assert.Equal([3, 7], read.Labels);
    }

    /// <summary>A list of two thousand times the same list of a thousand times the same list, in a few thousand bytes.</summary>
    [Fact]
    public void AListThatHoldsItsPartsManyTimesIsRefused()
    {
        string Times(int count, char memo) => $"](" + string.Concat(Enumerable.Repeat($"h{memo}", count)) + "e";
        string program = $"]q\u0001K\u0005a0{Times(2000, '\u0001')}q\u00020{Times(1000, '\u0002')}q\u00030}}U\u0004data{Times(1000, '\u0003')}s.";
        string path = _folder.Write("batch", [0x80, 2, .. Encoding.Latin1.GetBytes(program)]);
        Assert.Contains("'data' has far more items than the file has bytes",
            Assert.Throws<DataException>(() => CifarPython.ReadFile(path, CifarKind.Cifar10)).Message);
    }

    [Fact]
    public void ASetIsReadInFileOrder()
    {
        foreach (string file in CifarPython.FileNames(CifarKind.Cifar10, train: true))
            _folder.Write(file, Pickle(CifarKind.Cifar10, new byte[2 * 3072], [file[^1] - '0', 0]));
        LabeledImages set = CifarPython.ReadSet(_folder.Root, CifarKind.Cifar10, train: true);
        Assert.Equal([1, 0, 2, 0, 3, 0, 4, 0, 5, 0], set.Labels);
    }

    [Fact]
    public void WhatIsNotSoundIsRefusedWithTheFileAndTheReason()
    {
        byte[] pixels = new byte[2 * 3072];
        AssertRefused(Pickle(CifarKind.Cifar10, pixels, [3, 10]), "image 1 has label 10 where 0 to 9");
        AssertRefused(Pickle(CifarKind.Cifar10, pixels, [3]), "no list 'labels' of 2 labels");
        AssertRefused(Pickle(CifarKind.Cifar100, pixels, [3, 3]), "no list 'labels'");
        AssertRefused(Pickle(CifarKind.Cifar10, new byte[2 * 3000], [3, 3], 3000), "'data' is [2, 3000] where [n, 3072]");
        AssertRefused([0x80, 2, (byte)'}', (byte)'.'], "no array or list 'data'");
        AssertRefused([0x80, 2, (byte)']', (byte)'.'], "it is no dict");
        foreach (byte[] cut in TempFolder.Cut(Pickle(CifarKind.Cifar10, pixels, [3, 4]))) AssertRefused(cut, "");
    }

    private void AssertRefused(byte[] bytes, string reason)
    {
        string path = _folder.Write("batch", bytes);
        string message = Assert.Throws<DataException>(() => CifarPython.ReadFile(path, CifarKind.Cifar10)).Message;
        Assert.Contains(path, message, StringComparison.Ordinal);
        Assert.Contains(reason, message, StringComparison.Ordinal);
    }

    private static LabeledImages Images(CifarKind kind, int count) => new(
        "x", 3, 32, 32, [.. Enumerable.Range(0, count * 3072).Select(i => (byte)(i * 31 % 253))],
        [.. Enumerable.Range(0, count).Select(i => i * 7 % CifarBinary.ClassNames(kind).Count)], CifarBinary.ClassNames(kind));

    /// <summary>What Python 2's cPickle, protocol 2, makes of the authors' dict: texts are byte strings, pixels too.</summary>
    internal static byte[] Pickle(CifarKind kind, byte[] pixels, int[] labels, int columns = 3072)
    {
        var p = new MemoryStream();
        p.Write([0x80, 2, (byte)'}', (byte)'(']);
        Text(p, "data");
        p.Write(Encoding.ASCII.GetBytes("cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n"));
        p.Write([(byte)'K', 0, 0x85]);
        Text(p, "b");
        p.Write([0x87, (byte)'R', (byte)'(', (byte)'K', 1, (byte)'M', (byte)(pixels.Length / columns), 0, (byte)'M']);
        p.Write([(byte)(columns & 255), (byte)(columns >> 8), 0x86]);
        p.Write(Encoding.ASCII.GetBytes("cnumpy\ndtype\n"));
        Text(p, "u1");
        p.Write([(byte)'K', 0, (byte)'K', 1, 0x87, (byte)'R', (byte)'(', (byte)'K', 3]);
        Text(p, "|");
        p.Write([(byte)'N', (byte)'N', (byte)'N', (byte)'J', 255, 255, 255, 255, (byte)'J', 255, 255, 255, 255, (byte)'K', 0, (byte)'t',
            (byte)'b', 0x89, (byte)'T']);
        var length = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, pixels.Length);
        p.Write([.. length, .. pixels, (byte)'t', (byte)'b']);
        Text(p, kind == CifarKind.Cifar10 ? "labels" : "fine_labels");
        p.Write([(byte)']', (byte)'(', .. labels.SelectMany(label => new[] { (byte)'K', (byte)label }), (byte)'e', (byte)'u', (byte)'.']);
        return p.ToArray();
    }

    private static void Text(Stream pickle, string text) => pickle.Write([(byte)'U', (byte)text.Length, .. Encoding.ASCII.GetBytes(text)]);
}
