using FsCheck;
using FsCheck.Fluent;

namespace Rpat.Tests.IO;

public sealed class NpyTests : IDisposable
{
    private const string VectorHeader =
        "934e554d5059010076007b276465736372273a20273c6634272c2027666f727472616e5f6f72646572273a2046616c73652c20277368617065273a"
        + "2028332c292c207d";

    private readonly TempFolder _folder = new();

    private static byte[] Vector =>
        [.. Convert.FromHexString(VectorHeader), .. Encoding.ASCII.GetBytes("\n".PadLeft(128 - VectorHeader.Length / 2)),
            .. Convert.FromHexString("0000803f0000004000004040")];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void WritesTheVector()
    {
        Npy.Write(_folder.File("v.npy"), NamedArray.FromFloats("v", [1, 2, 3], 3));
        Assert.Equal(Vector, File.ReadAllBytes(_folder.File("v.npy")));
    }

    [Fact]
    public void ReadsTheVectorUnderTheFilesName()
    {
        NamedArray array = Npy.Read(_folder.Write("v.npy", Vector));
        Assert.Equal("v", array.Name);
        Assert.Equal([1f, 2f, 3f], array.ToFloats());
    }

    [Fact]
    public void EveryTypeAndShapeSurvivesExceptBfloat16WhichBecomesBits()
    {
        foreach (ElementType type in Enum.GetValues<ElementType>())
        {
            foreach (long[] shape in new long[][] { [], [3], [0, 2], [2, 3, 4] })
            {
                int size = (int)shape.Aggregate(1L, (a, b) => a * b) * type.Size();
                var array = new NamedArray("a", type, shape, Enumerable.Range(0, size).Select(i => (byte)(i * 7)).ToArray());
                Npy.Write(_folder.File("a.npy"), array);
                NamedArray read = Npy.Read(_folder.File("a.npy"));
                Assert.Equal(type == ElementType.BF16 ? ElementType.U16 : type, read.Type);
                Assert.Equal(shape, read.Shape);
                Assert.Equal(array.Data.ToArray(), read.Data.ToArray());
                Assert.Equal(0, (new FileInfo(_folder.File("a.npy")).Length - size) % 64);
            }
        }
    }

    [Fact]
    public void FortranOrderComesOutRowMajor()
    {
        // Columns of [[0,1,2],[3,4,5]].
        NamedArray array = ReadText("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3)}", [0, 3, 1, 4, 2, 5]);
        Assert.Equal([0L, 1, 2, 3, 4, 5], array.ToInt64());
    }

    [Fact]
    public void FortranOrderMatchesTheIndexFormula()
    {
        Gen<(int A, int B, int C)> sizes =
            from a in Gen.Choose(0, 4) from b in Gen.Choose(1, 5) from c in Gen.Choose(1, 3) select (a, b, c);
        Prop.ForAll(sizes.ToArbitrary(), size =>
        {
            byte[] data = [.. Enumerable.Range(0, size.A * size.B * size.C).Select(i => (byte)i)];
            string header = $"{{'descr': '|u1', 'fortran_order': True, 'shape': ({size.A}, {size.B}, {size.C})}}";
            byte[] read = ReadText(header, data).Data.ToArray();
            for (int i = 0; i < read.Length; i++)
            {
                int c = i % size.C, b = i / size.C % size.B, a = i / size.C / size.B;
                Assert.Equal(data[a + size.A * (b + size.B * c)], read[i]);
            }
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void BigEndianElementsAreSwapped()
    {
        Assert.Equal([258L], ReadText("{'descr': '>i2', 'fortran_order': False, 'shape': ()}", [1, 2]).ToInt64());
        NamedArray complex = ReadText("{'descr': '>c8', 'fortran_order': False, 'shape': (1,)}", [0x3F, 0x80, 0, 0, 0x40, 0, 0, 0]);
        Assert.Equal("0000803F00000040", Convert.ToHexString(complex.Data.Span));
    }

    [Fact]
    public void OtherSpellingsOfTheHeaderAreRead()
    {
        Assert.Equal([5L], ReadText("{\"shape\":(1L,),\"fortran_order\":False,\"descr\":\"=u1\",}", [5]).ToInt64());
        Assert.Equal([5L], ReadText(" { 'descr' :'|u1' , 'fortran_order' : False,'shape': (1 , 1,) } \n", [5], version: 3).ToInt64());
    }

    [Theory]
    [InlineData("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", "'|O' are not supported")]
    [InlineData("{'descr': '<f16', 'fortran_order': False, 'shape': (1,)}", "'<f16' are not supported")]
    [InlineData("{'descr': '|f4', 'fortran_order': False, 'shape': (1,)}", "not supported")]
    [InlineData("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", "elements of type '[('a', '<f4')]' are not supported")]
    [InlineData("{'descr': '|u1', 'fortran_order': Maybe, 'shape': (1,)}", "'Maybe'")]
    [InlineData("{'descr': '|u1', 'fortran_order': False, 'shape': (-1,)}", "a size is expected")]
    [InlineData("{'descr': '|u1', 'fortran_order': False, 'shape': (x,)}", "'x'")]
    [InlineData("{'descr': '|u1', 'fortran_order': False, 'shape': 1}", "'(' is expected")]
    [InlineData("{'descr': '|u1', 'fortran_order': False}", "missing")]
    [InlineData("{'descr': '|u1', 'descr': '|u1', 'fortran_order': False, 'shape': (1,)}", "repeated")]
    [InlineData("{'descr': '|u1', 'fortran_order': False, 'shape': (1,), 'x': 1}", "'x' is unknown")]
    [InlineData("{'descr': '|u1', 'fortran_order': False, 'shape': (1,)} y", "text follows")]
    [InlineData("{'descr': '|u1", "has no end")]
    [InlineData("", "'{' is expected")]
    [InlineData("{'descr': '|u1', 'fortran_order': False, 'shape': (2,)}", "needs 2 bytes")]
    [InlineData("{'descr': '|u1', 'fortran_order': False, 'shape': ()} ", null)]
    [InlineData("{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999999,)}", "passes 2 GiB")]
    [InlineData("{'descr': '|u1', 'fortran_order': False, 'shape': (281474976710656,281474976710656)}", "impossible")]
    public void BadHeaderIsRefused(string header, string? part)
    {
        Exception? error = Record.Exception(() => ReadText(header, [1]));
        if (part is null) Assert.Null(error);
        else Assert.Contains(part, Assert.IsType<DataException>(error).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void EveryTruncationIsRefused()
    {
        foreach (byte[] cut in TempFolder.Cut(Vector).Append([.. Vector, 0]))
        {
            string path = _folder.Write("cut.npy", cut);
            Assert.Contains(path, Assert.Throws<DataException>(() => Npy.Read(path)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void HugeHeaderLengthIsRefusedBeforeItIsRead()
    {
        string path = _folder.Write("h.npy", [0x93, .. "NUMPY"u8, 2, 0, 0xFF, 0xFF, 0xFF, 0x7F]);
        Assert.Contains("at most 10000", Assert.Throws<DataException>(() => Npy.Read(path)).Message, StringComparison.Ordinal);
        path = _folder.Write("h.npy", [0x93, .. "NUMPY"u8, 4, 0, 0, 0]);
        Assert.Contains("version 4.0", Assert.Throws<DataException>(() => Npy.Read(path)).Message, StringComparison.Ordinal);
    }

    private NamedArray ReadText(string header, byte[] data, byte version = 1)
    {
        byte[] text = Encoding.Latin1.GetBytes(header);
        byte[] length = version == 1 ? [(byte)text.Length, (byte)(text.Length >> 8)] : [(byte)text.Length, (byte)(text.Length >> 8), 0, 0];
        return Npy.Read(_folder.Write("t.npy", [0x93, .. "NUMPY"u8, version, 0, .. length, .. text, .. data]));
    }
}
