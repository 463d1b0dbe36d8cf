namespace Rpat.Tests.IO;

public sealed class Crc32Tests
{
    [Fact]
    public void TheSumIsThatOfTheStandardHoweverTheBytesAreDivided()
    {
        Assert.Equal(0xCBF43926u, Crc32.Of("123456789"u8));
        Assert.Equal(0u, Crc32.Of([]));
        byte[] bytes = [.. Enumerable.Range(0, 40).Select(i => (byte)(i * i))];
        for (int cut = 0; cut <= bytes.Length; cut++)
            Assert.Equal(Crc32.Of(bytes), Crc32.Of(bytes.AsSpan(cut), Crc32.Of(bytes.AsSpan(0, cut))));
    }
}
