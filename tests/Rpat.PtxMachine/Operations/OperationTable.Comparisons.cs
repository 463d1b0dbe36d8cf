using System.Numerics;
using System.Runtime.Intrinsics;

namespace Rpat.PtxMachine.Operations;

/// <summary>Comparisons. Ordered ones are false where a number is NaN, unordered ones (<c>ltu</c>) true.</summary>
internal static unsafe partial class OperationTable
{
    private static void AddComparisons(Dictionary<string, Operation> all)
    {
        AddOrder<int>(all, "s32", "w");
        AddOrder<uint>(all, "u32", "w");
        AddOrder<long>(all, "s64", "x");
        AddOrder<ulong>(all, "u64", "x");
        AddOrder<float>(all, "f32", "w");
        AddOrder<double>(all, "f64", "x");
        all.Add("setp.eq.b32", "pww", &Lanes.WideCompare<uint, Equal<uint>>);
        all.Add("setp.ne.b32", "pww", &Lanes.WideCompare<uint, Unequal<uint>>);
        all.Add("setp.eq.b64", "pxx", &Lanes.WideCompare<ulong, Equal<ulong>>);
        all.Add("setp.ne.b64", "pxx", &Lanes.WideCompare<ulong, Unequal<ulong>>);
        AddUnsigned<uint>(all, "u32", "w");
        AddUnsigned<ulong>(all, "u64", "x");
        AddUnordered<float>(all, "f32", "w");
        AddUnordered<double>(all, "f64", "x");
    }

    private static void AddOrder<T>(Dictionary<string, Operation> all, string type, string letter)
        where T : unmanaged, INumber<T>
    {
        string form = "p" + letter + letter;
        all.Add($"setp.eq.{type}", form, &Lanes.WideCompare<T, Equal<T>>);
        all.Add($"setp.ne.{type}", form, &Lanes.WideCompare<T, Unequal<T>>);
        all.Add($"setp.lt.{type}", form, &Lanes.WideCompare<T, Less<T>>);
        all.Add($"setp.le.{type}", form, &Lanes.WideCompare<T, LessOrEqual<T>>);
        all.Add($"setp.gt.{type}", form, &Lanes.WideCompare<T, Greater<T>>);
        all.Add($"setp.ge.{type}", form, &Lanes.WideCompare<T, GreaterOrEqual<T>>);
    }

    private static void AddUnsigned<T>(Dictionary<string, Operation> all, string type, string letter)
        where T : unmanaged, INumber<T>
    {
        string form = "p" + letter + letter;
        all.Add($"setp.lo.{type}", form, &Lanes.WideCompare<T, Less<T>>);
        all.Add($"setp.ls.{type}", form, &Lanes.WideCompare<T, LessOrEqual<T>>);
        all.Add($"setp.hi.{type}", form, &Lanes.WideCompare<T, Greater<T>>);
        all.Add($"setp.hs.{type}", form, &Lanes.WideCompare<T, GreaterOrEqual<T>>);
    }

    private static void AddUnordered<T>(Dictionary<string, Operation> all, string type, string letter)
        where T : unmanaged, INumber<T>
    {
        string form = "p" + letter + letter;
        all.Add($"setp.equ.{type}", form, &Lanes.Compare<T, OrNaN<T, Equal<T>>>);
        all.Add($"setp.neu.{type}", form, &Lanes.Compare<T, OrNaN<T, Unequal<T>>>);
        all.Add($"setp.ltu.{type}", form, &Lanes.Compare<T, OrNaN<T, Less<T>>>);
        all.Add($"setp.leu.{type}", form, &Lanes.Compare<T, OrNaN<T, LessOrEqual<T>>>);
        all.Add($"setp.gtu.{type}", form, &Lanes.Compare<T, OrNaN<T, Greater<T>>>);
        all.Add($"setp.geu.{type}", form, &Lanes.Compare<T, OrNaN<T, GreaterOrEqual<T>>>);
        all.Add($"setp.num.{type}", form, &Lanes.Compare<T, BothNumbers<T>>);
        all.Add($"setp.nan.{type}", form, &Lanes.Compare<T, OrNaN<T, Never<T>>>);
        all.Add($"testp.finite.{type}", "p" + letter, &Lanes.Test<T, Finite<T>>);
        all.Add($"testp.infinite.{type}", "p" + letter, &Lanes.Test<T, Infinite<T>>);
        all.Add($"testp.number.{type}", "p" + letter, &Lanes.Test<T, Number<T>>);
        all.Add($"testp.notanumber.{type}", "p" + letter, &Lanes.Test<T, NotANumber<T>>);
    }
}

internal readonly struct Equal<T> : IWideCompare<T>
    where T : INumber<T>
{
    public static bool Do(T a, T b) => a == b;

    public static Vector256<T> Holds(Vector256<T> a, Vector256<T> b) => Vector256.Equals(a, b);
}

/// <summary>Of numbers; false beside a NaN.</summary>
internal readonly struct Unequal<T> : IWideCompare<T>
    where T : INumber<T>
{
    public static bool Do(T a, T b) => a < b || a > b;

    public static Vector256<T> Holds(Vector256<T> a, Vector256<T> b) => Vector256.LessThan(a, b) | Vector256.GreaterThan(a, b);
}

internal readonly struct Less<T> : IWideCompare<T>
    where T : INumber<T>
{
    public static bool Do(T a, T b) => a < b;

    public static Vector256<T> Holds(Vector256<T> a, Vector256<T> b) => Vector256.LessThan(a, b);
}

internal readonly struct LessOrEqual<T> : IWideCompare<T>
    where T : INumber<T>
{
    public static bool Do(T a, T b) => a <= b;

    public static Vector256<T> Holds(Vector256<T> a, Vector256<T> b) => Vector256.LessThanOrEqual(a, b);
}

internal readonly struct Greater<T> : IWideCompare<T>
    where T : INumber<T>
{
    public static bool Do(T a, T b) => a > b;

    public static Vector256<T> Holds(Vector256<T> a, Vector256<T> b) => Vector256.GreaterThan(a, b);
}

internal readonly struct GreaterOrEqual<T> : IWideCompare<T>
    where T : INumber<T>
{
    public static bool Do(T a, T b) => a >= b;

    public static Vector256<T> Holds(Vector256<T> a, Vector256<T> b) => Vector256.GreaterThanOrEqual(a, b);
}

internal readonly struct Never<T> : IBinary<T, T, bool> { public static bool Do(T a, T b) => false; }

internal readonly struct BothNumbers<T> : IBinary<T, T, bool>
    where T : INumber<T>
{
    public static bool Do(T a, T b) => !T.IsNaN(a) && !T.IsNaN(b);
}

internal readonly struct OrNaN<T, TOrdered> : IBinary<T, T, bool>
    where T : INumber<T>
    where TOrdered : IBinary<T, T, bool>
{
    public static bool Do(T a, T b) => T.IsNaN(a) || T.IsNaN(b) || TOrdered.Do(a, b);
}

internal readonly struct Finite<T> : IUnary<T, bool> where T : INumber<T> { public static bool Do(T a) => T.IsFinite(a); }
internal readonly struct Infinite<T> : IUnary<T, bool> where T : INumber<T> { public static bool Do(T a) => T.IsInfinity(a); }
internal readonly struct Number<T> : IUnary<T, bool> where T : INumber<T> { public static bool Do(T a) => !T.IsNaN(a); }
internal readonly struct NotANumber<T> : IUnary<T, bool> where T : INumber<T> { public static bool Do(T a) => T.IsNaN(a); }
