using System.Numerics;
using Rpat.PtxMachine.Execution;
using Rpat.PtxMachine.Memory;

namespace Rpat.PtxMachine.Operations;

/// <summary>Loads and stores, and what every access to memory is checked for.</summary>
internal static unsafe class Accesses
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void LoadParameter(Warp w, Instruction i, uint mask)
    {
        byte* from = w.Group.Launch.Parameters + i.Displacement;
        for (uint left = mask; left != 0; left &= left - 1) Put(w, i, i.D, BitOperations.TrailingZeroCount(left), from);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Load(Warp w, Instruction i, uint mask)
    {
        byte* memory = Reach(w, i, mask, i.Elements * i.Bytes, Access.Read);
        for (int element = 0; element < i.Targets.Length; element++)
        {
            var target = i.Targets[element];
            byte* from = memory + element * i.Bytes;
            if (i.Bytes == 4) Gather((uint*)(w.File + target.Offset), w.Addresses, from, mask);
            else if (i.Bytes == 8) Gather((ulong*)(w.File + target.Offset), w.Addresses, from, mask);
            else GatherNarrow(w, i, target, from, mask);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Store(Warp w, Instruction i, uint mask)
    {
        byte* memory = Reach(w, i, mask, i.Elements * i.Bytes, Access.Write);
        for (int element = 0; element < i.Sources.Length; element++)
        {
            byte* values = w.File + i.Sources[element].Offset, to = memory + element * i.Bytes;
            for (uint left = mask; left != 0; left &= left - 1)
            {
                int lane = BitOperations.TrailingZeroCount(left);
                byte* place = to + w.Addresses[lane];
                if (i.Bytes == 4) *(uint*)place = ((uint*)values)[lane];
                else if (i.Bytes == 8) *(ulong*)place = ((ulong*)values)[lane];
                else if (i.Bytes == 2) *(ushort*)place = (ushort)((uint*)values)[lane];
                else *place = (byte)((uint*)values)[lane];
            }
        }
    }

    /// <summary>Puts the addresses of an access into the warp's list, checks and counts them.</summary>
    /// <returns>What to add to an address: shared memory begins at 0, global memory where it is.</returns>
    /// <param name="forOthers">Whether other threads of the warp receive what a thread's address names, as by <c>ldmatrix</c>.</param>
    public static byte* Reach(Warp w, Instruction i, uint mask, int bytes, Access access, bool forOthers = false)
    {
        TakeAddresses(w, i);
        if (i.IsShared) CheckShared(w, i, mask, bytes, access, forOthers);
        else CheckGlobal(w, i, mask, bytes, access);
        return i.IsShared ? w.Group.Shared.Data : null;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void TakeAddresses(Warp w, Instruction i)
    {
        if (i.NarrowAddress)
        {
            uint* narrow = (uint*)(w.File + i.A.Offset);
            for (int lane = 0; lane < Warp.Lanes; lane++) w.Addresses[lane] = narrow[lane] + (uint)i.Displacement;
            return;
        }
        ulong* wide = (ulong*)(w.File + i.A.Offset);
        for (int lane = 0; lane < Warp.Lanes; lane++) w.Addresses[lane] = wide[lane] + (ulong)i.Displacement;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void CheckShared(Warp w, Instruction i, uint mask, int bytes, Access access, bool forOthers)
    {
        var shared = w.Group.Shared;
        var first = shared.Now(w, 0);
        if (w.Group.Options.CountTraffic) Traffic.CountShared(ref w.Counter, w.Addresses, mask, bytes);
        for (uint left = mask; left != 0; left &= left - 1)
        {
            int lane = BitOperations.TrailingZeroCount(left);
            ulong at = w.Addresses[lane];
            if (at > (ulong)shared.Bytes || at + (ulong)bytes > (ulong)shared.Bytes)
                throw Outside(w, i, lane, $"accesses {bytes} bytes at byte {at} of shared memory, which has {shared.Bytes} bytes");
            if ((at & ((uint)bytes - 1)) != 0) throw Misaligned(w, i, lane, bytes);
            var now = forOthers ? first.OfSeveral() : first.Next(lane);
            if (!shared.TryNote(now, (int)at, bytes, access)) throw SharedFault(w, i, lane, now, (int)at, bytes, access);
        }
    }

    public static PtxFaultException SharedFault(Warp w, Instruction i, int lane, Deed now, int at, int bytes, Access access)
    {
        var (kind, what) = w.Group.Shared.Explain(w.Group, now, at, bytes, access);
        return w.Fault(kind, i, 1u << lane, what);
    }

    /// <summary>Checks and counts the addresses in the warp's list as those of global memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void CheckGlobal(Warp w, Instruction i, uint mask, int bytes, Access access)
    {
        var range = w.Group.LastRange;
        var history = new GlobalHistory(w.Group);
        if (w.Group.Options.CountTraffic) Traffic.CountGlobal(ref w.Counter, w.Addresses, mask, bytes);
        for (uint left = mask; left != 0; left &= left - 1)
        {
            int lane = BitOperations.TrailingZeroCount(left);
            ulong at = w.Addresses[lane];
            if (range is null || !range.Holds(at, (ulong)bytes)) range = w.Group.LastRange = FindRange(w, i, lane, bytes);
            if ((at & ((uint)bytes - 1)) != 0) throw Misaligned(w, i, lane, bytes);
            for (ulong word = (at - range.Start) >> 2; word <= (at - range.Start + (uint)bytes - 1) >> 2; word++)
                history.Note(w, i, lane, range, word, access);
        }
    }

    private static Range FindRange(Warp w, Instruction i, int lane, int bytes)
    {
        var ranges = w.Group.Launch.Ranges;
        ulong at = w.Addresses[lane];
        return Range.Find(ranges, at, (ulong)bytes)
            ?? throw Outside(w, i, lane, $"accesses {bytes} bytes at {at:x} outside every buffer ({Range.Describe(ranges, at)})");
    }

    private static PtxFaultException Outside(Warp w, Instruction i, int lane, string what) =>
        w.Fault(PtxFaultKind.OutOfBounds, i, 1u << lane, what);

    private static PtxFaultException Misaligned(Warp w, Instruction i, int lane, int bytes) => w.Fault(
        PtxFaultKind.Misaligned, i, 1u << lane, $"accesses {bytes} bytes at {w.Addresses[lane]:x}, which is no multiple of {bytes}");

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Gather<T>(T* to, ulong* addresses, byte* memory, uint mask)
        where T : unmanaged
    {
        for (uint left = mask; left != 0; left &= left - 1)
        {
            int lane = BitOperations.TrailingZeroCount(left);
            to[lane] = *(T*)(memory + addresses[lane]);
        }
    }

    private static void GatherNarrow(Warp w, Instruction i, Operand target, byte* memory, uint mask)
    {
        for (uint left = mask; left != 0; left &= left - 1)
        {
            int lane = BitOperations.TrailingZeroCount(left);
            Put(w, i, target, lane, memory + w.Addresses[lane]);
        }
    }

    /// <summary>Widens one element to its register.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Put(Warp w, Instruction i, Operand target, int lane, byte* from)
    {
        uint* narrow = (uint*)(w.File + target.Offset) + lane;
        switch (i.Bytes)
        {
            case 8: ((ulong*)(w.File + target.Offset))[lane] = *(ulong*)from; break;
            case 4: *narrow = *(uint*)from; break;
            case 2: *narrow = i.To.IsSigned ? (uint)*(short*)from : *(ushort*)from; break;
            default: *narrow = i.To.IsSigned ? (uint)*(sbyte*)from : *from; break;
        }
    }
}
