namespace Rpat.Engine.Random;

/// <summary>Random orders by Fisher and Yates' shuffle, one per (seed, epoch, purpose).</summary>
public static class Permutation
{
    /// <summary>The numbers 0 to <paramref name="n"/> - 1 in random order.</summary>
    /// <param name="n">How many, at least 0.</param>
    /// <param name="seed">The run's seed.</param>
    /// <param name="epoch">The epoch, 0 to 2^20 - 1.</param>
    /// <param name="purpose">What the order is for.</param>
    public static int[] Of(int n, ulong seed, int epoch, Purpose purpose = Purpose.Shuffle)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(n);
        var order = new int[n];
        Fill(order, seed, epoch, purpose);
        return order;
    }

    /// <summary>Fills with the numbers 0 to length - 1 in random order, without allocating.</summary>
    /// <param name="destination">Receives the order.</param>
    /// <param name="seed">The run's seed.</param>
    /// <param name="epoch">The epoch, 0 to 2^20 - 1.</param>
    /// <param name="purpose">What the order is for.</param>
    public static void Fill(Span<int> destination, ulong seed, int epoch, Purpose purpose = Purpose.Shuffle)
    {
        PhiloxStream draws = new RandomKey(seed, purpose, epoch, 0, 0, 0).Stream();
        for (int i = 0; i < destination.Length; i++) destination[i] = i;
        for (int last = destination.Length - 1; last > 0; last--)
        {
            int other = draws.Below(last, last + 1);
            (destination[last], destination[other]) = (destination[other], destination[last]);
        }
    }
}
