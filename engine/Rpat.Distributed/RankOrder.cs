using System.Numerics;

namespace Rpat.Distributed;

/// <summary>Additions in rank order, which give a sum the same bits on every transport and for every division into slices.</summary>
internal static class RankOrder
{
    /// <summary>Adds the next rank's values to a sum.</summary>
    public static void Add<T>(Span<T> sums, ReadOnlySpan<T> values) where T : unmanaged, IAdditionOperators<T, T, T>
    {
        int i = 0;
        for (; i <= sums.Length - Vector<T>.Count; i += Vector<T>.Count)
            (new Vector<T>(sums[i..]) + new Vector<T>(values[i..])).CopyTo(sums[i..]);
        for (; i < sums.Length; i++) sums[i] += values[i];
    }

    /// <summary>The slice of a rank: first value and number of values; numbers differ by at most one.</summary>
    public static (int First, int Count) Slice(int length, int rank, int size)
    {
        int first = (int)((long)length * rank / size);
        return (first, (int)((long)length * (rank + 1) / size) - first);
    }
}
