// The folder's name as a namespace would hide System.Random from the other tests.
namespace Rpat.Tests.Randomness;

public sealed class PhiloxTests
{
    /// <summary>The published known answers of philox4x32-10: counter, key and result, first word first.</summary>
    [Theory]
    [InlineData("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8")]
    [InlineData("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd")]
    [InlineData("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1")]
    public void KnownAnswers(string counter, string key, string expected)
    {
        uint[] c = Words(counter), k = Words(key), e = Words(expected);
        PhiloxBlock block = Philox.Block(new PhiloxBlock(c[0], c[1], c[2], c[3]), (ulong)k[1] << 32 | k[0]);
        Assert.Equal(new PhiloxBlock(e[0], e[1], e[2], e[3]), block);
        Assert.Equal(e, Enumerable.Range(0, 4).Select(lane => block[lane]));
    }

    [Fact]
    public void KeyIsPackedAsDocumented()
    {
        var key = new RandomKey(0x0123456789ABCDEF, Purpose.AttackStart, 0xFFFFE, 0xFFFFFFFE, 0xFFE, 0xFFFFFE);
        PhiloxBlock block = Philox.Block(new PhiloxBlock(5, 0xFFFFFFFE, 0xFFFFEFFE, 0xFFFFFE04), 0x0123456789ABCDEF);
        PhiloxStream stream = key.Stream();
        for (int lane = 0; lane < 4; lane++) Assert.Equal(block[lane], stream.Word(20 + lane));
        PhiloxBlock last = Philox.Block(new PhiloxBlock(uint.MaxValue, 0xFFFFFFFE, 0xFFFFEFFE, 0xFFFFFE04), 0x0123456789ABCDEF);
        Assert.Equal(last.W3, stream.Word((1L << 34) - 1));
    }

    [Fact]
    public void NeighbouringKeysGiveOtherNumbers()
    {
        var key = new RandomKey(1, Purpose.Noise, 2, 3, 4, 5);
        RandomKey[] keys =
        [
            key, key with { Seed = 2 }, key with { Purpose = Purpose.Mix }, key with { Epoch = 3 }, key with { Sample = 4 },
            key with { Restart = 5 }, key with { Iteration = 6 },
        ];
        Assert.Equal(keys.Length * 4, keys.SelectMany(k => Enumerable.Range(0, 4).Select(d => k.Stream().Word(d))).Distinct().Count());
    }

    [Fact]
    public void PartsOutOfRangeAreRefused()
    {
        var key = new RandomKey(1, Purpose.Noise, 0, 0, 0, 0);
        RandomKey[] bad =
        [
            key with { Epoch = -1 }, key with { Epoch = 1 << 20 }, key with { Sample = -1 }, key with { Sample = 1L << 32 },
            key with { Restart = -1 }, key with { Restart = 1 << 12 }, key with { Iteration = -1 }, key with { Iteration = 1 << 24 },
        ];
        foreach (RandomKey wrong in bad) Assert.Throws<ArgumentOutOfRangeException>(() => wrong.Stream());
        Assert.Throws<ArgumentOutOfRangeException>(() => key.Stream().Word(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => key.Stream().Word(1L << 34));
        Assert.Throws<ArgumentOutOfRangeException>(() => key.Stream().Below(0, 0));
    }

    private static uint[] Words(string hex) => [.. hex.Split(' ').Select(word => Convert.ToUInt32(word, 16))];
}
