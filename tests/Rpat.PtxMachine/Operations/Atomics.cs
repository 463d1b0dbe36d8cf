using System.Numerics;
using Rpat.PtxMachine.Execution;
using Rpat.PtxMachine.Memory;
using Rpat.PtxMachine.Text;

namespace Rpat.PtxMachine.Operations;

internal enum AtomicKind
{
    Add,
    Min,
    Max,
    And,
    Or,
    Xor,
    Exch,
    Cas,
}

/// <summary>Atomic operations, thread by thread in the order of their numbers.</summary>
internal static unsafe class Atomics
{
    public static bool Takes(AtomicKind kind, PtxType type) => kind switch
    {
        AtomicKind.Add => type.Bits >= 32 && type.Letter != 'b' && type != new PtxType('s', 64),
        AtomicKind.Min or AtomicKind.Max => type.Bits >= 32 && type.Letter is 's' or 'u',
        _ => type.Bits >= 32 && type.Letter == 'b',
    };

    public static void Run(Warp w, Instruction i, uint mask)
    {
        byte* memory = Accesses.Reach(w, i, mask, i.Bytes, Access.Atomic);
        for (uint left = mask; left != 0; left &= left - 1)
        {
            int lane = BitOperations.TrailingZeroCount(left);
            byte* place = memory + w.Addresses[lane];
            ulong old = Read(place, i.Bytes), value = Read(w.File + i.B.Offset + lane * i.Bytes, i.Bytes);
            bool differs = i.Mode == (int)AtomicKind.Cas && old != value;
            ulong result = i.Mode != (int)AtomicKind.Cas ? Combine((AtomicKind)i.Mode, i.To, old, value)
                : differs ? old : Read(w.File + i.C.Offset + lane * i.Bytes, i.Bytes);
            Write(place, i.Bytes, result);
            if (i.D.Slot != 0) Write(w.File + i.D.Offset + lane * i.Bytes, i.Bytes, old);
        }
    }

    private static ulong Combine(AtomicKind kind, PtxType type, ulong a, ulong b) => (kind, type.Letter, type.Bits) switch
    {
        (AtomicKind.Add, 'f', 32) => BitConverter.SingleToUInt32Bits(Single(a) + Single(b)),
        (AtomicKind.Add, 'f', _) => BitConverter.DoubleToUInt64Bits(Double(a) + Double(b)),
        (AtomicKind.Add, _, _) => a + b,
        (AtomicKind.Min, 's', 32) => (ulong)Math.Min((int)a, (int)b),
        (AtomicKind.Min, 's', _) => (ulong)Math.Min((long)a, (long)b),
        (AtomicKind.Min, _, _) => Math.Min(a, b),
        (AtomicKind.Max, 's', 32) => (ulong)Math.Max((int)a, (int)b),
        (AtomicKind.Max, 's', _) => (ulong)Math.Max((long)a, (long)b),
        (AtomicKind.Max, _, _) => Math.Max(a, b),
        (AtomicKind.And, _, _) => a & b,
        (AtomicKind.Or, _, _) => a | b,
        (AtomicKind.Xor, _, _) => a ^ b,
        _ => b,
    };

    private static float Single(ulong bits) => BitConverter.UInt32BitsToSingle((uint)bits);

    private static double Double(ulong bits) => BitConverter.UInt64BitsToDouble(bits);

    private static ulong Read(byte* from, int bytes) => bytes == 8 ? *(ulong*)from : *(uint*)from;

    private static void Write(byte* to, int bytes, ulong value)
    {
        if (bytes == 8) *(ulong*)to = value;
        else *(uint*)to = (uint)value;
    }
}
