namespace Rpat.Tests.IO;

public sealed class NamedArrayTests
{
    /// <summary>The bytes of 1 and 2 in every type that has real numbers.</summary>
    public static TheoryData<ElementType, string> OneAndTwo => new()
    {
        { ElementType.U8, "0102" },
        { ElementType.I8, "0102" },
        { ElementType.I16, "01000200" },
        { ElementType.U16, "01000200" },
        { ElementType.F16, "003C0040" },
        { ElementType.BF16, "803F0040" },
        { ElementType.I32, "0100000002000000" },
        { ElementType.U32, "0100000002000000" },
        { ElementType.F32, "0000803F00000040" },
        { ElementType.I64, "01000000000000000200000000000000" },
        { ElementType.U64, "01000000000000000200000000000000" },
        { ElementType.F64, "000000000000F03F0000000000000040" },
    };

    [Theory]
    [MemberData(nameof(OneAndTwo))]
    public void EveryRealTypeConvertsToFloats(ElementType type, string hex) =>
        Assert.Equal([1f, 2f], new NamedArray("a", type, [2], Convert.FromHexString(hex)).ToFloats());

    [Fact]
    public void SignedTypesKeepTheirSign()
    {
        Assert.Equal([-1L], new NamedArray("a", ElementType.I8, [], new byte[] { 0xFF }).ToInt64());
        Assert.Equal([-2L], new NamedArray("a", ElementType.I16, [], new byte[] { 0xFE, 0xFF }).ToInt64());
        Assert.Equal([1L, 0L], new NamedArray("a", ElementType.Bool, [2], new byte[] { 1, 0 }).ToInt64());
    }

    [Fact]
    public void FactoriesCopyTheirValues()
    {
        Assert.Equal([1.5f, -2f], NamedArray.FromFloats("a", [1.5f, -2f], 2).ToFloats());
        Assert.Equal([long.MinValue], NamedArray.FromInt64("a", [long.MinValue]).ToInt64());
    }

    [Fact]
    public void NumbersThatDoNotFitAreRefused()
    {
        Assert.Throws<DataException>(() => new NamedArray("a", ElementType.C64, [1], new byte[8]).ToFloats());
        Assert.Throws<DataException>(() => NamedArray.FromFloats("a", [1f], 1).ToInt64());
        Assert.Throws<DataException>(() => new NamedArray("a", ElementType.U64, [], Enumerable.Repeat((byte)255, 8).ToArray()).ToInt64());
    }

    [Fact]
    public void BytesMustFitTheShape()
    {
        Assert.Throws<ArgumentException>(() => new NamedArray("a", ElementType.F32, [2], new byte[7]));
        Assert.Throws<ArgumentException>(() => new NamedArray("a", ElementType.F32, [-1], new byte[4]));
        Assert.Throws<ArgumentException>(() => new NamedArray("a", ElementType.U8, [1L << 40, 1L << 40], new byte[1]));
        Assert.Equal(0, new NamedArray("a", ElementType.F32, [3, 0], ReadOnlyMemory<byte>.Empty).Count);
    }
}
