namespace Rpat.Engine.Random;

/// <summary>
/// Random numbers by draw index: draw d is lane d % 4 of the Philox block d / 4. There is no state, so any draw can be made at
/// any time, in any order and on any thread. Draws run from 0 to 2^34 - 1.
/// </summary>
public readonly struct PhiloxStream
{
    private const float Unit24 = 1f / (1 << 24), Unit23 = 1f / (1 << 23);
    private const double Unit32 = 1.0 / (1L << 32);
    private const long Draws = 1L << 34;

    private readonly ulong _key;
    private readonly uint _counter1, _counter2, _counter3;

    internal PhiloxStream(ulong key, uint counter1, uint counter2, uint counter3) =>
        (_key, _counter1, _counter2, _counter3) = (key, counter1, counter2, counter3);

    /// <summary>Uniform over all 32-bit words.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The index is negative or 2^34 or more.</exception>
    public uint Word(long draw) => Block(draw)[(int)draw];

    /// <summary>Uniform over the multiples of 2^-24 in [0, 1).</summary>
    public float Uniform(long draw) => ToUniform(Word(draw));

    /// <summary>Uniform over the multiples of 2^-23 in [-1, 1).</summary>
    public float Symmetric(long draw) => ToSymmetric(Word(draw));

    /// <summary>
    /// Standard normal by the Box–Muller transform, in double precision: an even draw and the odd one after it share their two words, as
    /// cosine and sine. Values beyond 6.7 standard deviations never occur.
    /// </summary>
    public float Normal(long draw)
    {
        PhiloxBlock block = Block(draw);
        (double even, double odd) = (draw & 2) == 0 ? NormalPair(block.W0, block.W1) : NormalPair(block.W2, block.W3);
        return (float)((draw & 1) == 0 ? even : odd);
    }

    /// <summary>An integer from 0 to <paramref name="n"/> - 1 from the high half of a product; equally likely up to n / 2^32.</summary>
    /// <param name="n">The number of integers, at least 1.</param>
    public int Below(long draw, int n)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(n);
        return (int)((ulong)Word(draw) * (uint)n >> 32);
    }

    /// <summary>Fills with the draws from <paramref name="firstDraw"/> on; each equals that of <see cref="Uniform"/>.</summary>
    public void FillUniform(Span<float> destination, long firstDraw = 0)
    {
        Span<uint> words = FillWords(destination, firstDraw);
        for (int i = 0; i < destination.Length; i++) destination[i] = ToUniform(words[i]);
    }

    /// <summary>Fills with the draws from <paramref name="firstDraw"/> on; each equals that of <see cref="Symmetric"/>.</summary>
    public void FillSymmetric(Span<float> destination, long firstDraw = 0)
    {
        Span<uint> words = FillWords(destination, firstDraw);
        for (int i = 0; i < destination.Length; i++) destination[i] = ToSymmetric(words[i]);
    }

    /// <summary>Fills with the draws from <paramref name="firstDraw"/> on; each equals that of <see cref="Normal"/>.</summary>
    public void FillNormal(Span<float> destination, long firstDraw = 0)
    {
        for (int i = 0; i < destination.Length; i++)
        {
            long draw = firstDraw + i;
            if ((draw & 1) != 0 || i + 1 == destination.Length)
            {
                destination[i] = Normal(draw);
                continue;
            }

            PhiloxBlock block = Block(draw);
            (double even, double odd) = (draw & 2) == 0 ? NormalPair(block.W0, block.W1) : NormalPair(block.W2, block.W3);
            (destination[i], destination[++i]) = ((float)even, (float)odd);
        }
    }

    // The words are written to the destination's own memory and converted to floats in place.
    private Span<uint> FillWords(Span<float> destination, long firstDraw)
    {
        Span<uint> words = MemoryMarshal.Cast<float, uint>(destination);
        PhiloxBlock block = default;
        for (int i = 0; i < words.Length; i++)
        {
            long draw = firstDraw + i;
            if (i == 0 || (draw & 3) == 0) block = Block(draw);
            words[i] = block[(int)draw];
        }

        return words;
    }

    /// <summary>The counter of a block of four draws, for kernels that run Philox themselves; the key is the seed.</summary>
    internal PhiloxBlock Counter(uint block) => new(block, _counter1, _counter2, _counter3);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static float ToUniform(uint word) => (word >> 8) * Unit24;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static float ToSymmetric(uint word) => ((int)word >> 8) * Unit23;

    private PhiloxBlock Block(long draw)
    {
        if ((ulong)draw >= (ulong)Draws)
            throw new ArgumentOutOfRangeException(nameof(draw), draw, $"A draw index must be from 0 to {Draws - 1}.");
        return Philox.Block(Counter((uint)(draw >> 2)), _key);
    }

    // The radius's uniform is in (0, 1], so that its logarithm is finite.
    private static (double Even, double Odd) NormalPair(uint word0, uint word1)
    {
        double radius = Math.Sqrt(-2 * Math.Log((word0 + 1.0) * Unit32));
        (double sin, double cos) = Math.SinCos(2 * Math.PI * Unit32 * word1);
        return (radius * cos, radius * sin);
    }
}
