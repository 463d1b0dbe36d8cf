using System.Runtime.InteropServices;

namespace Rpat.Ilgpu.Emulator.Execution;

/// <summary>
/// Counts how often the lanes of a warp that access shared memory together meet in one of its 32 banks. Together are the n-th accesses
/// of all lanes between two waits. Memory serves 32 lanes of four bytes at a time, 16 of eight, eight of sixteen; different words of one
/// bank take a turn each, the same word is served to all.
/// </summary>
internal static class BankMeter
{
    private const int Banks = 32, BytesOfTurn = 128;

    /// <summary>Looks at what a warp has done since it last waited, and forgets it.</summary>
    public static void Count(ReadOnlySpan<Lane> warp, string kernel, BankReport report)
    {
        int most = 0;
        foreach (var lane in warp) most = Math.Max(most, lane.Accesses.Count);
        Span<SharedAccess> together = stackalloc SharedAccess[GroupRun.WarpSize];
        for (int n = 0; n < most; n++)
        {
            int lanes = 0;
            foreach (var lane in warp)
                if (n < lane.Accesses.Count) together[lanes++] = lane.Accesses[n];
            report.Add(kernel, Turns(together[..lanes]) - 1);
        }
        foreach (var lane in warp) lane.Accesses.Clear();
    }

    /// <summary>Turns beyond those that the width takes, plus one.</summary>
    private static int Turns(ReadOnlySpan<SharedAccess> lanes)
    {
        int extra = 0, atOnce = Math.Max(1, BytesOfTurn / Math.Max(sizeof(uint), lanes[0].Bytes));
        for (int first = 0; first < lanes.Length; first += atOnce)
            extra += Conflicts(lanes.Slice(first, Math.Min(atOnce, lanes.Length - first)));
        return extra + 1;
    }

    private static int Conflicts(ReadOnlySpan<SharedAccess> lanes)
    {
        HashSet<int> words = [];
        foreach (var lane in lanes)
            for (int word = lane.At / sizeof(uint); word <= (lane.At + lane.Bytes - 1) / sizeof(uint); word++) words.Add(word);
        Span<int> load = stackalloc int[Banks];
        load.Clear();
        int most = 1;
        foreach (int word in words) most = Math.Max(most, ++load[word % Banks]);
        return most - 1;
    }
}

/// <summary>Bytes of shared memory that a lane reads or writes at once.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct SharedAccess(int At, int Bytes);
