using System.Numerics;
using System.Runtime.Intrinsics;

namespace Rpat.PtxMachine.Operations;

/// <summary>Whole numbers; what does not fit wraps.</summary>
internal static unsafe partial class OperationTable
{
    private static void AddIntegers(Dictionary<string, Operation> all)
    {
        AddWords<int, long>(all, "w", "s32");
        AddWords<uint, ulong>(all, "w", "u32");
        AddWords<long, Int128>(all, "x", "s64");
        AddWords<ulong, UInt128>(all, "x", "u64");
        all.Add("mul.wide.s32", "xww", &Lanes.Map<int, int, long, MultiplyWide<int, long>>);
        all.Add("mul.wide.u32", "xww", &Lanes.Map<uint, uint, ulong, MultiplyWide<uint, ulong>>);
        all.Add("mad.wide.s32", "xwwx", &Lanes.Map<int, int, long, long, MultiplyWide<int, long>>);
        all.Add("mad.wide.u32", "xwwx", &Lanes.Map<uint, uint, ulong, ulong, MultiplyWide<uint, ulong>>);
        all.Add("neg.s32", "ww", &Lanes.Map<int, int, Negate<int>>);
        all.Add("neg.s64", "xx", &Lanes.Map<long, long, Negate<long>>);
        all.Add("abs.s32", "ww", &Lanes.Map<int, int, Absolute<int>>);
        all.Add("abs.s64", "xx", &Lanes.Map<long, long, Absolute<long>>);
    }

    /// <typeparam name="T">The numbers.</typeparam>
    /// <typeparam name="TWide">Numbers that hold every product.</typeparam>
    private static void AddWords<T, TWide>(Dictionary<string, Operation> all, string letter, string type)
        where T : unmanaged, IBinaryInteger<T>
        where TWide : unmanaged, IBinaryInteger<TWide>
    {
        string three = letter + letter + letter;
        all.Add($"add.{type}", three, &Lanes.Wide<T, Add<T>>);
        all.Add($"sub.{type}", three, &Lanes.Wide<T, Subtract<T>>);
        all.Add($"mul.lo.{type}", three, &Lanes.Wide<T, Multiply<T>>);
        all.Add($"mul.hi.{type}", three, &Lanes.Map<T, T, T, MultiplyHigh<T, TWide>>);
        all.Add($"mad.lo.{type}", three + letter, &Lanes.WideTernary<T, Multiply<T>>);
        all.Add($"mad.hi.{type}", three + letter, &Lanes.Map<T, T, T, T, MultiplyHigh<T, TWide>>);
        all.Add($"div.{type}", three, &Lanes.Map<T, T, T, Quotient<T>>);
        all.Add($"rem.{type}", three, &Lanes.Map<T, T, T, Remainder<T>>);
        all.Add($"min.{type}", three, &Lanes.Map<T, T, T, Min<T>>);
        all.Add($"max.{type}", three, &Lanes.Map<T, T, T, Max<T>>);
        all.Add($"shr.{type}", letter + letter + "w", &Lanes.Map<T, uint, T, ShiftRight<T>>);
    }
}

internal readonly struct Add<T> : IWideBinary<T>
    where T : INumber<T>
{
    public static T Do(T a, T b) => a + b;

    public static Vector256<T> Do(Vector256<T> a, Vector256<T> b) => a + b;
}

internal readonly struct Subtract<T> : IWideBinary<T>
    where T : INumber<T>
{
    public static T Do(T a, T b) => a - b;

    public static Vector256<T> Do(Vector256<T> a, Vector256<T> b) => a - b;
}

internal readonly struct Multiply<T> : IWideBinary<T>, IWideTernary<T>
    where T : INumber<T>
{
    public static T Do(T a, T b) => a * b;

    public static Vector256<T> Do(Vector256<T> a, Vector256<T> b) => a * b;

    public static T Do(T a, T b, T c) => a * b + c;

    public static Vector256<T> Do(Vector256<T> a, Vector256<T> b, Vector256<T> c) => a * b + c;
}

internal readonly struct Negate<T> : IUnary<T, T> where T : INumber<T> { public static T Do(T a) => -a; }

/// <summary>The least number has no positive one and stays.</summary>
internal readonly struct Absolute<T> : IUnary<T, T> where T : INumber<T> { public static T Do(T a) => T.IsNegative(a) ? -a : a; }
internal readonly struct Min<T> : IBinary<T, T, T> where T : INumber<T> { public static T Do(T a, T b) => T.Min(a, b); }
internal readonly struct Max<T> : IBinary<T, T, T> where T : INumber<T> { public static T Do(T a, T b) => T.Max(a, b); }

internal readonly struct MultiplyHigh<T, TWide> : IBinary<T, T, T>, ITernary<T, T, T, T>
    where T : unmanaged, IBinaryInteger<T>
    where TWide : IBinaryInteger<TWide>
{
    public static unsafe T Do(T a, T b) => T.CreateTruncating(TWide.CreateTruncating(a) * TWide.CreateTruncating(b) >> (8 * sizeof(T)));

    public static T Do(T a, T b, T c) => Do(a, b) + c;
}

internal readonly struct MultiplyWide<T, TWide> : IBinary<T, T, TWide>, ITernary<T, T, TWide, TWide>
    where T : IBinaryInteger<T>
    where TWide : IBinaryInteger<TWide>
{
    public static TWide Do(T a, T b) => TWide.CreateTruncating(a) * TWide.CreateTruncating(b);

    public static TWide Do(T a, T b, TWide c) => Do(a, b) + c;
}

/// <summary>By zero: all bits, as hardware does. The least number by −1 is itself.</summary>
internal readonly struct Quotient<T> : IBinary<T, T, T>
    where T : IBinaryInteger<T>
{
    public static T Do(T a, T b) => T.IsZero(b) ? T.AllBitsSet : T.IsNegative(b) && T.IsZero(b + T.One) ? T.Zero - a : a / b;
}

/// <summary>By zero: the dividend.</summary>
internal readonly struct Remainder<T> : IBinary<T, T, T>
    where T : IBinaryInteger<T>
{
    public static T Do(T a, T b) => T.IsZero(b) ? a : T.IsNegative(b) && T.IsZero(b + T.One) ? T.Zero : a % b;
}

/// <summary>Far shifts leave the sign.</summary>
internal readonly struct ShiftRight<T> : IBinary<T, uint, T>
    where T : unmanaged, IBinaryInteger<T>
{
    public static unsafe T Do(T a, uint by)
    {
        if (by < 8 * sizeof(T)) return a >> (int)by;
        return T.IsNegative(a) ? T.AllBitsSet : T.Zero;
    }
}
