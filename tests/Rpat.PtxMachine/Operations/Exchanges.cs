using System.Numerics;
using Rpat.PtxMachine.Execution;
using Rpat.PtxMachine.Memory;

namespace Rpat.PtxMachine.Operations;

internal enum ShuffleMode
{
    Up,
    Down,
    Bfly,
    Idx,
}

/// <summary>What the threads of a warp do together: <c>shfl</c>, <c>ldmatrix</c>, <c>bar.warp</c>.</summary>
internal static unsafe class Exchanges
{
    private const int Rows = 8, RowBytes = 16;

    public static void Nothing(Warp w, Instruction i, uint mask)
    {
    }

    public static void WarpBarrier(Warp w, Instruction i, uint mask)
    {
        CheckMembers(w, i, mask, (uint*)(w.File + i.A.Offset));
        w.Interval++;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Shuffle(Warp w, Instruction i, uint mask)
    {
        CheckMembers(w, i, mask, (uint*)(w.File + i.Sources[0].Offset));
        uint* a = (uint*)(w.File + i.A.Offset), b = (uint*)(w.File + i.B.Offset), c = (uint*)(w.File + i.C.Offset);
        uint* results = stackalloc uint[Warp.Lanes];
        uint inside = 0;
        for (uint left = mask; left != 0; left &= left - 1)
        {
            int lane = BitOperations.TrailingZeroCount(left), source = Source((ShuffleMode)i.Mode, lane, b[lane], c[lane]);
            if (source >= 0) inside |= 1u << lane;
            else source = lane;
            if ((mask >> source & 1) == 0)
                throw w.Fault(PtxFaultKind.Exchange, i, 1u << lane, $"takes a value from lane {source}, which does not take part");
            results[lane] = a[source];
        }
        for (int lane = 0; lane < Warp.Lanes; lane++)
            if ((mask >> lane & 1) != 0) ((uint*)(w.File + i.D.Offset))[lane] = results[lane];
        if (i.Targets.Length > 0) SetPredicate(w, i.Targets[0], mask, inside);
    }

    /// <summary>PTX ISA, "shfl.sync": the lane to take from, -1 if that lies outside the segment.</summary>
    private static int Source(ShuffleMode mode, int lane, uint b, uint c)
    {
        int by = (int)(b & 31), clamp = (int)(c & 31), segment = (int)(c >> 8 & 31);
        int first = lane & segment, last = first | (clamp & ~segment);
        int source = mode switch
        {
            ShuffleMode.Up => lane - by,
            ShuffleMode.Down => lane + by,
            ShuffleMode.Bfly => lane ^ by,
            _ => first | (by & ~segment),
        };
        bool inside = mode == ShuffleMode.Up ? source >= last : source <= last;
        return inside ? source : -1;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetPredicate(Warp w, Operand predicate, uint mask, uint bits) =>
        w.Predicates[predicate.Slot] = (w.Predicates[predicate.Slot] & ~mask) | (bits & mask);

    /// <summary>All members that the mask names must be here, and nobody else.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void CheckMembers(Warp w, Instruction i, uint mask, uint* members)
    {
        for (uint left = mask; left != 0; left &= left - 1)
        {
            int lane = BitOperations.TrailingZeroCount(left);
            uint named = members[lane] & w.Existing;
            if (named == mask) continue;
            if ((named & ~mask) != 0) throw w.Missing(PtxFaultKind.Exchange, i, mask, named & ~mask, "waits in an exchange");
            string what = $"takes part in an exchange whose member mask {members[lane]:x8} does not name it";
            throw w.Fault(PtxFaultKind.Exchange, i, mask & ~named, what);
        }
    }

    /// <summary>Operations of whole warps.</summary>
    public static void CheckWhole(Warp w, Instruction i, uint mask)
    {
        if (mask == uint.MaxValue) return;
        if (w.Existing == uint.MaxValue) throw w.Missing(PtxFaultKind.Exchange, i, mask, ~mask, "waits in an operation of the whole warp");
        string what = $"waits in an operation of a whole warp, which has {BitOperations.PopCount(w.Existing)} threads";
        throw w.Fault(PtxFaultKind.Exchange, i, mask, what);
    }

    /// <summary>
    /// 8×8 matrices of 16-bit values. Thread 8m + r names the 16 bytes of row r of matrix m; register m of a thread receives the values
    /// (g, 2t) and (g, 2t + 1) of matrix m, or with .trans (2t, g) and (2t + 1, g), g = lane / 4 and t = lane % 4.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void LoadMatrices(Warp w, Instruction i, uint mask)
    {
        CheckWhole(w, i, mask);
        int rows = i.Elements * Rows;
        byte* shared = Accesses.Reach(w, i, rows == 32 ? uint.MaxValue : (1u << rows) - 1, RowBytes, Access.Read, forOthers: true);
        ushort* values = stackalloc ushort[4 * Rows * Rows];
        for (int row = 0; row < rows; row++)
            new ReadOnlySpan<ushort>(shared + w.Addresses[row], Rows).CopyTo(new Span<ushort>(values + row * Rows, Rows));
        for (int matrix = 0; matrix < i.Elements; matrix++)
        {
            uint* target = (uint*)(w.File + i.Targets[matrix].Offset);
            for (int lane = 0; lane < Warp.Lanes; lane++) target[lane] = Pair(values + matrix * Rows * Rows, lane, i.Flag);
        }
    }

    private static uint Pair(ushort* matrix, int lane, bool transposed)
    {
        int g = lane / 4, t = lane % 4;
        int low = transposed ? 2 * t * Rows + g : g * Rows + 2 * t, high = low + (transposed ? Rows : 1);
        return (uint)matrix[high] << 16 | matrix[low];
    }
}
