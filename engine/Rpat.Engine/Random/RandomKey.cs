namespace Rpat.Engine.Random;

/// <summary>
/// Identifies a stream of random numbers by its purpose. Equal keys give equal numbers, and different keys never share a counter, so
/// results cannot depend on batch size, thread count, order or resume.
/// </summary>
/// <remarks>
/// Packed without loss. The seed is the 64-bit Philox key. The 128-bit counter is, lowest word first:
/// <list type="bullet">
/// <item>word 0: block of four draws (draw / 4), 32 bits;</item>
/// <item>word 1: sample, 32 bits;</item>
/// <item>word 2: epoch in the upper 20 bits, restart in the lower 12;</item>
/// <item>word 3: iteration in the upper 24 bits, purpose in the lower 8.</item>
/// </list>
/// </remarks>
/// <param name="Purpose">What the numbers are for.</param>
/// <param name="Epoch">The pass over the data, 0 to 2^20 - 1.</param>
/// <param name="Sample">The image's index in the whole data set, 0 to 2^32 - 1.</param>
/// <param name="Restart">The restart of an attack or the view of an image, 0 to 2^12 - 1.</param>
/// <param name="Iteration">The iteration of an attack, 0 to 2^24 - 1.</param>
public readonly record struct RandomKey(ulong Seed, Purpose Purpose, int Epoch, long Sample, int Restart, int Iteration)
{
    private const int RestartBits = 12, EpochBits = 20, IterationBits = 24, SampleBits = 32, PurposeBits = 8;

    /// <summary>The stream of random numbers of this key.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A field of the key is negative or too large.</exception>
    public PhiloxStream Stream()
    {
        Check(Epoch, EpochBits, nameof(Epoch));
        Check(Sample, SampleBits, nameof(Sample));
        Check(Restart, RestartBits, nameof(Restart));
        Check(Iteration, IterationBits, nameof(Iteration));
        return new PhiloxStream(
            Seed, (uint)Sample, (uint)Epoch << RestartBits | (uint)Restart, (uint)Iteration << PurposeBits | (byte)Purpose);
    }

    private static void Check(long value, int bits, string name)
    {
        if ((ulong)value >> bits != 0)
            throw new ArgumentOutOfRangeException(name, value, $"The {name} of a random key must be from 0 to {(1L << bits) - 1}.");
    }
}
