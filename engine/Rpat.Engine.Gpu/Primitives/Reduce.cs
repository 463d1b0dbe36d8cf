using ILGPU;

namespace Rpat.Engine.Gpu.Primitives;

/// <summary>Sums and maxima over a warp or a group, always in the same order.</summary>
internal static class Reduce
{
    /// <summary>Threads of a warp.</summary>
    public const int WarpSize = 32;

    /// <summary>The warp's number in a launch of one per item; that of its threads would pass 2³¹ at a 32nd of the items.</summary>
    public static int Item
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (int)(((long)Grid.IdxX * Group.DimX + Group.IdxX) / WarpSize);
    }

    /// <summary>
    /// Sum over the lanes of a warp; every lane gets the same bits, because both sides of a shuffle add the same two numbers.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double WarpSum(double v)
    {
        double sum = v;
        for (int distance = WarpSize / 2; distance > 0; distance >>= 1) sum += Warp.ShuffleXor(sum, distance);
        return sum;
    }

    /// <summary>Maximum over the lanes of a warp.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double WarpMax(double v)
    {
        double max = v;
        for (int distance = WarpSize / 2; distance > 0; distance >>= 1)
        {
            double other = Warp.ShuffleXor(max, distance);
            max = other > max ? other : max;
        }
        return max;
    }

    /// <summary>
    /// Sum over all threads of a group of <paramref name="threads"/> (a power of two); all threads call it, all get the sum.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double GroupSum(double v, ArrayView<double> shared, int threads)
    {
        int i = Group.IdxX;
        Group.Barrier(); // waits for threads that still read the previous sum
        shared[i] = v;
        Group.Barrier();
        for (int half = threads / 2; half > 0; half >>= 1)
        {
            if (i < half) shared[i] += shared[i + half];
            Group.Barrier();
        }
        return shared[0];
    }
}
