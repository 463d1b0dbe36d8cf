namespace Rpat.Engine.Random;

/// <summary>
/// Philox4x32 with 10 rounds: a keyed bijection of 128-bit counters whose outputs behave like independent random words.
/// J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC'11, section 4.3.
/// </summary>
internal static class Philox
{
    private const int Rounds = 10;
    private const uint Multiplier0 = 0xD2511F53, Multiplier1 = 0xCD9E8D57;
    private const uint Weyl0 = 0x9E3779B9, Weyl1 = 0xBB67AE85;

    /// <summary>Four random words for a counter and a key.</summary>
    /// <param name="counter">128 bits, lowest word first.</param>
    /// <param name="key">64 bits, the low half being the first key word.</param>
    /// <returns>128 bits, lowest word first.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhiloxBlock Block(PhiloxBlock counter, ulong key)
    {
        (uint c0, uint c1, uint c2, uint c3) = counter;
        uint k0 = (uint)key, k1 = (uint)(key >> 32);
        for (int round = 0; round < Rounds; round++)
        {
            ulong product0 = (ulong)Multiplier0 * c0, product1 = (ulong)Multiplier1 * c2;
            (c0, c1, c2, c3) = ((uint)(product1 >> 32) ^ c1 ^ k0, (uint)product1, (uint)(product0 >> 32) ^ c3 ^ k1, (uint)product0);
            k0 += Weyl0;
            k1 += Weyl1;
        }

        return new PhiloxBlock(c0, c1, c2, c3);
    }
}

/// <summary>A 128-bit counter, or the four random words made from it, the lowest first.</summary>
internal readonly record struct PhiloxBlock(uint W0, uint W1, uint W2, uint W3)
{
    /// <summary>The word of a lane from 0 to 3; higher bits of <paramref name="lane"/> are ignored.</summary>
    public uint this[int lane] => (lane & 3) switch { 0 => W0, 1 => W1, 2 => W2, _ => W3 };
}
