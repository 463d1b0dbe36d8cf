namespace Rpat.Formats.Data;

/// <summary>Random permutations by the Fisher–Yates shuffle, one per (seed, epoch, purpose).</summary>
public static class Permutation
{
    /// <summary>The numbers 0 to <paramref name="n"/> - 1 in random order; the epoch is at most 2^20 - 1.</summary>
    public static int[] Of(int n, ulong seed, int epoch, Purpose purpose = Purpose.Shuffle)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(n);
        var order = new int[n];
        Fill(order, seed, epoch, purpose);
        return order;
    }

    /// <summary>Fills with the numbers 0 to length - 1 in random order, without allocating.</summary>
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
