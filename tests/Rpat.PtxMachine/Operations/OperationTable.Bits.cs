using System.Numerics;
using System.Runtime.Intrinsics;
using Rpat.PtxMachine.Execution;

namespace Rpat.PtxMachine.Operations;

/// <summary>Bits: logic, shifts, fields, moves and selections.</summary>
internal static unsafe partial class OperationTable
{
    private static void AddBits(Dictionary<string, Operation> all)
    {
        AddLogic<uint>(all, "b16", "h");
        AddLogic<uint>(all, "b32", "w");
        AddLogic<ulong>(all, "b64", "x");
        all.Add("and.pred", "ppp", &AndPredicates);
        all.Add("or.pred", "ppp", &OrPredicates);
        all.Add("xor.pred", "ppp", &XorPredicates);
        all.Add("not.pred", "pp", &NotPredicate);
        all.Add("mov.pred", "pp", &MovePredicate);
        all.Add("mov.b16|u16|s16", "hh", &Lanes.Copy<uint>);
        all.Add("mov.b32|u32|s32|f32", "ww", &Lanes.Copy<uint>);
        all.Add("mov.b64|u64|s64|f64", "xx", &Lanes.Copy<ulong>);
        all.Add("cvta.to?.global.u64", "xx", &Lanes.Copy<ulong>);
        all.Add("selp.b16|u16|s16", "hhhp", &Lanes.Select<uint>);
        all.Add("selp.b32|u32|s32|f32", "wwwp", &Lanes.Select<uint>);
        all.Add("selp.b64|u64|s64|f64", "xxxp", &Lanes.Select<ulong>);
        all.Add("shl.b32", "www", &Lanes.Map<uint, uint, uint, ShiftLeft<uint>>);
        all.Add("shl.b64", "xxw", &Lanes.Map<ulong, uint, ulong, ShiftLeft<ulong>>);
        all.Add("shr.b32", "www", &Lanes.Map<uint, uint, uint, ShiftRight<uint>>);
        all.Add("shr.b64", "xxw", &Lanes.Map<ulong, uint, ulong, ShiftRight<ulong>>);
        AddFields(all);
    }

    private static void AddLogic<T>(Dictionary<string, Operation> all, string type, string letter)
        where T : unmanaged, IBinaryInteger<T>
    {
        all.Add($"and.{type}", letter + letter + letter, &Lanes.Wide<T, And<T>>);
        all.Add($"or.{type}", letter + letter + letter, &Lanes.Wide<T, Or<T>>);
        all.Add($"xor.{type}", letter + letter + letter, &Lanes.Wide<T, Xor<T>>);
        all.Add($"not.{type}", letter + letter, &Lanes.Map<T, T, Not<T>>);
    }

    private static void AddFields(Dictionary<string, Operation> all)
    {
        all.Add("shf.l.clamp.b32", "wwww", &Lanes.Map<uint, uint, uint, uint, FunnelLeftClamp>);
        all.Add("shf.l.wrap.b32", "wwww", &Lanes.Map<uint, uint, uint, uint, FunnelLeftWrap>);
        all.Add("shf.r.clamp.b32", "wwww", &Lanes.Map<uint, uint, uint, uint, FunnelRightClamp>);
        all.Add("shf.r.wrap.b32", "wwww", &Lanes.Map<uint, uint, uint, uint, FunnelRightWrap>);
        all.Add("prmt.b32", "wwww", &Lanes.Map<uint, uint, uint, uint, Permute>);
        all.Add("bfe.u32", "wwww", &Lanes.Map<uint, uint, uint, uint, Field>);
        all.Add("bfe.s32", "wwww", &Lanes.Map<int, uint, uint, int, Field>);
        all.Add("bfi.b32", "wwwww", &InsertField);
        all.Add("lop3.b32", "wwwww", &Lookup);
        all.Add("popc.b32", "ww", &Lanes.Map<uint, uint, PopCount>);
        all.Add("popc.b64", "wx", &Lanes.Map<ulong, uint, PopCount>);
        all.Add("clz.b32", "ww", &Lanes.Map<uint, uint, LeadingZeros>);
        all.Add("clz.b64", "wx", &Lanes.Map<ulong, uint, LeadingZeros>);
        all.Add("brev.b32", "ww", &Lanes.Map<uint, uint, Reverse>);
    }

    private static void AndPredicates(Warp w, Instruction i, uint mask) =>
        Exchanges.SetPredicate(w, i.D, mask, w.Predicates[i.A.Slot] & w.Predicates[i.B.Slot]);

    private static void OrPredicates(Warp w, Instruction i, uint mask) =>
        Exchanges.SetPredicate(w, i.D, mask, w.Predicates[i.A.Slot] | w.Predicates[i.B.Slot]);

    private static void XorPredicates(Warp w, Instruction i, uint mask) =>
        Exchanges.SetPredicate(w, i.D, mask, w.Predicates[i.A.Slot] ^ w.Predicates[i.B.Slot]);

    private static void NotPredicate(Warp w, Instruction i, uint mask) => Exchanges.SetPredicate(w, i.D, mask, ~w.Predicates[i.A.Slot]);

    private static void MovePredicate(Warp w, Instruction i, uint mask) => Exchanges.SetPredicate(w, i.D, mask, w.Predicates[i.A.Slot]);

    /// <summary>PTX ISA, "bfi": the lowest bits of a replace those of b from a place on.</summary>
    private static void InsertField(Warp w, Instruction i, uint mask)
    {
        Quaternary(w, i, mask, &Insert);

        static uint Insert(uint a, uint b, uint at, uint length)
        {
            (at, length) = (at & 255, length & 255);
            if (at > 31 || length == 0) return b;
            uint field = (length > 31 ? uint.MaxValue : (1u << (int)length) - 1) << (int)at;
            return (b & ~field) | (a << (int)at & field);
        }
    }

    /// <summary>PTX ISA, "lop3": bit 4a + 2b + c of the table.</summary>
    private static void Lookup(Warp w, Instruction i, uint mask)
    {
        Quaternary(w, i, mask, &Look);

        static uint Look(uint a, uint b, uint c, uint table)
        {
            uint result = 0;
            for (int n = 0; n < 8; n++)
                if ((table >> n & 1) != 0) result |= ((n & 4) != 0 ? a : ~a) & ((n & 2) != 0 ? b : ~b) & ((n & 1) != 0 ? c : ~c);
            return result;
        }
    }

    private static void Quaternary(Warp w, Instruction i, uint mask, delegate*<uint, uint, uint, uint, uint> of)
    {
        uint* a = (uint*)(w.File + i.A.Offset), b = (uint*)(w.File + i.B.Offset), c = (uint*)(w.File + i.C.Offset);
        uint* d = (uint*)(w.File + i.Sources[0].Offset), r = (uint*)(w.File + i.D.Offset);
        for (uint left = mask; left != 0; left &= left - 1)
        {
            int n = BitOperations.TrailingZeroCount(left);
            r[n] = of(a[n], b[n], c[n], d[n]);
        }
    }
}

internal readonly struct Copy<T> : IUnary<T, T> { public static T Do(T a) => a; }
internal readonly struct And<T> : IWideBinary<T>
    where T : IBinaryInteger<T>
{
    public static T Do(T a, T b) => a & b;

    public static Vector256<T> Do(Vector256<T> a, Vector256<T> b) => a & b;
}

internal readonly struct Or<T> : IWideBinary<T>
    where T : IBinaryInteger<T>
{
    public static T Do(T a, T b) => a | b;

    public static Vector256<T> Do(Vector256<T> a, Vector256<T> b) => a | b;
}

internal readonly struct Xor<T> : IWideBinary<T>
    where T : IBinaryInteger<T>
{
    public static T Do(T a, T b) => a ^ b;

    public static Vector256<T> Do(Vector256<T> a, Vector256<T> b) => a ^ b;
}

internal readonly struct Not<T> : IUnary<T, T> where T : IBinaryInteger<T> { public static T Do(T a) => ~a; }

/// <summary>Far shifts leave nothing.</summary>
internal readonly struct ShiftLeft<T> : IBinary<T, uint, T>
    where T : unmanaged, IBinaryInteger<T>
{
    public static unsafe T Do(T a, uint by) => by < 8 * sizeof(T) ? a << (int)by : T.Zero;
}

/// <summary>The upper half of b:a, shifted left.</summary>
internal readonly struct FunnelLeftClamp : ITernary<uint, uint, uint, uint>
{
    public static uint Do(uint a, uint b, uint by) => (uint)(((ulong)b << 32 | a) << (int)Math.Min(by, 32) >> 32);
}

internal readonly struct FunnelLeftWrap : ITernary<uint, uint, uint, uint>
{
    public static uint Do(uint a, uint b, uint by) => FunnelLeftClamp.Do(a, b, by & 31);
}

/// <summary>The lower half of b:a, shifted right.</summary>
internal readonly struct FunnelRightClamp : ITernary<uint, uint, uint, uint>
{
    public static uint Do(uint a, uint b, uint by) => (uint)(((ulong)b << 32 | a) >> (int)Math.Min(by, 32));
}

internal readonly struct FunnelRightWrap : ITernary<uint, uint, uint, uint>
{
    public static uint Do(uint a, uint b, uint by) => FunnelRightClamp.Do(a, b, by & 31);
}

/// <summary>PTX ISA, "prmt": each nibble of the selector names a byte of b:a, or its sign eight times.</summary>
internal readonly struct Permute : ITernary<uint, uint, uint, uint>
{
    public static uint Do(uint a, uint b, uint selector)
    {
        ulong bytes = (ulong)b << 32 | a;
        uint result = 0;
        for (int n = 0; n < 4; n++)
        {
            int nibble = (int)(selector >> (4 * n) & 15);
            uint chosen = (uint)(bytes >> (8 * (nibble & 7)) & 255);
            if ((nibble & 8) != 0) chosen = (chosen & 128) != 0 ? 255u : 0;
            result |= chosen << (8 * n);
        }
        return result;
    }
}

/// <summary>PTX ISA, "bfe": a field of bits; signed ones are filled up with their top bit.</summary>
internal readonly struct Field : ITernary<uint, uint, uint, uint>, ITernary<int, uint, uint, int>
{
    public static uint Do(uint a, uint at, uint length)
    {
        (at, length) = (at & 255, length & 255);
        uint moved = at > 31 ? 0 : a >> (int)at;
        return length > 31 ? moved : moved & ((1u << (int)length) - 1);
    }

    public static int Do(int a, uint at, uint length)
    {
        (at, length) = (at & 255, length & 255);
        if (length == 0) return 0;
        if (at + length > 32) return a >> (int)Math.Min(at, 31);
        return a << (int)(32 - at - length) >> (int)(32 - length);
    }
}

internal readonly struct PopCount : IUnary<uint, uint>, IUnary<ulong, uint>
{
    public static uint Do(uint a) => (uint)BitOperations.PopCount(a);

    public static uint Do(ulong a) => (uint)BitOperations.PopCount(a);
}

internal readonly struct LeadingZeros : IUnary<uint, uint>, IUnary<ulong, uint>
{
    public static uint Do(uint a) => (uint)BitOperations.LeadingZeroCount(a);

    public static uint Do(ulong a) => (uint)BitOperations.LeadingZeroCount(a);
}

internal readonly struct Reverse : IUnary<uint, uint>
{
    public static uint Do(uint a)
    {
        uint result = 0;
        for (int n = 0; n < 32; n++) result |= (a >> n & 1) << (31 - n);
        return result;
    }
}
