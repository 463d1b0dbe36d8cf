using System.Numerics;

namespace Rpat.PtxMachine.Execution;

/// <summary>What one instruction of a program has done.</summary>
internal struct Counter
{
    public long Executed, Threads, Passes, Conflicts, Sectors, IdealSectors;

    public static Counter[] Sum(GroupRun[] runs)
    {
        var sum = runs[0].Counters;
        foreach (var run in runs.AsSpan(1))
            for (int i = 0; i < sum.Length; i++) sum[i].Add(run.Counters[i]);
        return sum;
    }

    private void Add(in Counter other)
    {
        Executed += other.Executed;
        Threads += other.Threads;
        Passes += other.Passes;
        Conflicts += other.Conflicts;
        Sectors += other.Sectors;
        IdealSectors += other.IdealSectors;
    }
}

/// <summary>What an access of a warp costs in shared and in global memory.</summary>
internal static unsafe class Traffic
{
    private const int BytesOfPass = 128, SectorBytes = 32;

    /// <summary>
    /// Counts the passes of an access to shared memory, of 32 banks of four bytes. A pass serves 32 lanes of up to four bytes, 16 of
    /// eight or eight of sixteen; different words of one bank take a pass each, the same word is served to all.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void CountShared(ref Counter counter, ulong* addresses, uint mask, int bytes)
    {
        int shift = BitOperations.Log2((uint)Math.Max(4, bytes)), lanes = BytesOfPass >> shift;
        if (bytes >= 4 && AreNeighbours(addresses, mask, bytes))
        {
            counter.Passes += 32 / lanes;
            return;
        }
        uint all = lanes == 32 ? uint.MaxValue : (1u << lanes) - 1;
        for (int first = 0; first < 32; first += lanes)
        {
            uint together = mask & (all << first);
            if (together == 0) continue;
            counter.Passes++;
            counter.Conflicts += Degree(addresses, together, shift, (ulong)lanes - 1) - 1;
        }
    }

    /// <summary>Whether all 32 lanes access places one behind the other: the frequent case.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static bool AreNeighbours(ulong* addresses, uint mask, int bytes)
    {
        if (mask != uint.MaxValue) return false;
        for (int lane = 1; lane < 32; lane++)
            if (addresses[lane] != addresses[lane - 1] + (uint)bytes) return false;
        return true;
    }

    /// <summary>Most different units of the access's width that lie in one place of the banks' row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int Degree(ulong* addresses, uint mask, int shift, ulong places)
    {
        ulong* held = stackalloc ulong[32];
        uint seen = 0;
        for (uint left = mask; left != 0; left &= left - 1)
        {
            ulong unit = addresses[BitOperations.TrailingZeroCount(left)] >> shift;
            int place = (int)(unit & places);
            if ((seen >> place & 1) == 0) (held[place], seen) = (unit, seen | 1u << place);
            else if (held[place] != unit) return SlowDegree(addresses, mask, shift, places);
        }
        return 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int SlowDegree(ulong* addresses, uint mask, int shift, ulong places)
    {
        Span<int> load = stackalloc int[32];
        load.Clear();
        int most = 1;
        for (uint left = mask; left != 0; left &= left - 1)
        {
            int lane = BitOperations.TrailingZeroCount(left);
            if (!SeenBefore(addresses, mask, lane, shift)) most = Math.Max(most, ++load[(int)(addresses[lane] >> shift & places)]);
        }
        return most;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static bool SeenBefore(ulong* addresses, uint mask, int lane, int shift)
    {
        for (uint left = mask & ((1u << lane) - 1); left != 0; left &= left - 1)
            if (addresses[BitOperations.TrailingZeroCount(left)] >> shift == addresses[lane] >> shift) return true;
        return false;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void CountGlobal(ref Counter counter, ulong* addresses, uint mask, int bytes)
    {
        if (addresses[0] % SectorBytes == 0 && AreNeighbours(addresses, mask, bytes))
        {
            counter.Sectors += bytes;
            counter.IdealSectors += bytes;
            return;
        }
        counter.Sectors += Distinct(addresses, mask, BitOperations.Log2(SectorBytes));
        counter.IdealSectors += (Distinct(addresses, mask, BitOperations.Log2((uint)bytes)) * bytes + SectorBytes - 1) / SectorBytes;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int Distinct(ulong* addresses, uint mask, int shift)
    {
        int count = 0;
        ulong last = ulong.MaxValue;
        for (uint left = mask; left != 0; left &= left - 1)
        {
            int lane = BitOperations.TrailingZeroCount(left);
            ulong unit = addresses[lane] >> shift;
            bool climbs = last == ulong.MaxValue || unit > last;
            if (climbs || (unit != last && !SeenBefore(addresses, mask, lane, shift))) count++;
            if (climbs) last = unit;
        }
        return count;
    }
}
