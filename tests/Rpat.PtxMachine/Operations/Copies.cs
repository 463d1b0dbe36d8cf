using System.Numerics;
using Rpat.PtxMachine.Execution;
using Rpat.PtxMachine.Memory;

namespace Rpat.PtxMachine.Operations;

/// <summary>
/// Asynchronous copies (<c>cp.async</c>). They arrive as late as they may: when their thread waits for them. Until then nobody may touch
/// the target, and then only that thread may until the next barrier.
/// </summary>
internal static unsafe class Copies
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Begin(Warp w, Instruction i, uint mask)
    {
        Accesses.Reach(w, i, mask, i.Bytes, Access.Write);
        for (uint left = mask; left != 0; left &= left - 1)
        {
            int lane = BitOperations.TrailingZeroCount(left), filled = ((int*)(w.File + i.C.Offset))[lane];
            if (filled < 0 || filled > i.Bytes)
                throw w.Fault(PtxFaultKind.OutOfBounds, i, 1u << lane, $"takes {filled} bytes of a copy of {i.Bytes}");
            int target = (int)w.Addresses[lane];
            w.Group.Shared.SetPending(target, i.Bytes, pending: true);
            w.Copies.Add(lane, target, ((ulong*)(w.File + i.B.Offset))[lane] + (ulong)i.Mode, i.Bytes, filled);
        }
        CheckSources(w, i, mask);
    }

    public static void Commit(Warp w, Instruction i, uint mask) => w.Copies.Commit(mask);

    public static void WaitGroup(Warp w, Instruction i, uint mask) => Finish(w, i, mask, i.Mode);

    public static void WaitAll(Warp w, Instruction i, uint mask)
    {
        w.Copies.Commit(mask);
        Finish(w, i, mask, 0);
    }

    /// <summary>The sources are read from now on; a copy of no bytes reads nothing, wherever it points.</summary>
    private static void CheckSources(Warp w, Instruction i, uint mask)
    {
        uint reads = 0;
        for (int lane = 0; lane < Warp.Lanes; lane++)
        {
            w.Addresses[lane] = ((ulong*)(w.File + i.B.Offset))[lane] + (ulong)i.Mode;
            if (((int*)(w.File + i.C.Offset))[lane] > 0) reads |= mask & 1u << lane;
        }
        if (reads != 0) Accesses.CheckGlobal(w, i, reads, i.Bytes, Access.Read);
    }

    private static void Finish(Warp w, Instruction i, uint mask, int pending)
    {
        var shared = w.Group.Shared;
        foreach (var copy in w.Copies.Take(mask, pending))
        {
            shared.SetPending(copy.Target, copy.Bytes, pending: false);
            var now = shared.Now(w, copy.Lane);
            if (!shared.TryNote(now, copy.Target, copy.Bytes, Access.Write))
                throw Accesses.SharedFault(w, i, copy.Lane, now, copy.Target, copy.Bytes, Access.Write);
            new Span<byte>(shared.Data + copy.Target, copy.Bytes).Clear();
            new ReadOnlySpan<byte>((byte*)copy.Source, copy.Filled).CopyTo(new Span<byte>(shared.Data + copy.Target, copy.Bytes));
        }
    }
}
