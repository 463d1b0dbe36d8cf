using System.Numerics;
using System.Runtime.Intrinsics;
using Rpat.PtxMachine.Execution;

namespace Rpat.PtxMachine.Operations;

internal interface IUnary<TA, TR>
{
    static abstract TR Do(TA a);
}

internal interface IBinary<TA, TB, TR>
{
    static abstract TR Do(TA a, TB b);
}

internal interface ITernary<TA, TB, TC, TR>
{
    static abstract TR Do(TA a, TB b, TC c);
}

/// <summary>Operations that also take the values of several threads at once.</summary>
internal interface IWideBinary<T> : IBinary<T, T, T>
{
    static abstract Vector256<T> Do(Vector256<T> a, Vector256<T> b);
}

/// <summary>The same with three sources.</summary>
internal interface IWideTernary<T> : ITernary<T, T, T, T>
{
    static abstract Vector256<T> Do(Vector256<T> a, Vector256<T> b, Vector256<T> c);
}

/// <summary>Comparisons that also take the values of several threads at once.</summary>
internal interface IWideCompare<T> : IBinary<T, T, bool>
{
    /// <summary>All bits of an element where it holds.</summary>
    static abstract Vector256<T> Holds(Vector256<T> a, Vector256<T> b);
}

/// <summary>Does an operation of one thread for the threads of a mask.</summary>
internal static unsafe class Lanes
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Map<TA, TR, TOperation>(Warp w, Instruction i, uint mask)
        where TA : unmanaged
        where TR : unmanaged
        where TOperation : IUnary<TA, TR>
    {
        byte* file = w.File;
        TA* a = (TA*)(file + i.A.Offset);
        TR* r = (TR*)(file + i.D.Offset);
        if (mask == uint.MaxValue)
        {
            for (int n = 0; n < Warp.Lanes; n++) r[n] = TOperation.Do(a[n]);
            return;
        }
        for (uint left = mask; left != 0; left &= left - 1)
        {
            int n = BitOperations.TrailingZeroCount(left);
            r[n] = TOperation.Do(a[n]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Map<TA, TB, TR, TOperation>(Warp w, Instruction i, uint mask)
        where TA : unmanaged
        where TB : unmanaged
        where TR : unmanaged
        where TOperation : IBinary<TA, TB, TR>
    {
        byte* file = w.File;
        TA* a = (TA*)(file + i.A.Offset);
        TB* b = (TB*)(file + i.B.Offset);
        TR* r = (TR*)(file + i.D.Offset);
        if (mask == uint.MaxValue)
        {
            for (int n = 0; n < Warp.Lanes; n++) r[n] = TOperation.Do(a[n], b[n]);
            return;
        }
        for (uint left = mask; left != 0; left &= left - 1)
        {
            int n = BitOperations.TrailingZeroCount(left);
            r[n] = TOperation.Do(a[n], b[n]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Map<TA, TB, TC, TR, TOperation>(Warp w, Instruction i, uint mask)
        where TA : unmanaged
        where TB : unmanaged
        where TC : unmanaged
        where TR : unmanaged
        where TOperation : ITernary<TA, TB, TC, TR>
    {
        byte* file = w.File;
        TA* a = (TA*)(file + i.A.Offset);
        TB* b = (TB*)(file + i.B.Offset);
        TC* c = (TC*)(file + i.C.Offset);
        TR* r = (TR*)(file + i.D.Offset);
        for (uint left = mask; left != 0; left &= left - 1)
        {
            int n = BitOperations.TrailingZeroCount(left);
            r[n] = TOperation.Do(a[n], b[n], c[n]);
        }
    }

    /// <summary>The frequent case, that all threads do it, several at once.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Wide<T, TOperation>(Warp w, Instruction i, uint mask)
        where T : unmanaged
        where TOperation : IWideBinary<T>
    {
        if (mask != uint.MaxValue)
        {
            Map<T, T, T, TOperation>(w, i, mask);
            return;
        }
        T* a = (T*)(w.File + i.A.Offset), b = (T*)(w.File + i.B.Offset), r = (T*)(w.File + i.D.Offset);
        for (int n = 0; n < Warp.Lanes; n += Vector256<T>.Count) TOperation.Do(Vector256.Load(a + n), Vector256.Load(b + n)).Store(r + n);
    }

    /// <summary>The same with three sources.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void WideTernary<T, TOperation>(Warp w, Instruction i, uint mask)
        where T : unmanaged
        where TOperation : IWideTernary<T>
    {
        if (mask != uint.MaxValue)
        {
            Map<T, T, T, T, TOperation>(w, i, mask);
            return;
        }
        T* a = (T*)(w.File + i.A.Offset), b = (T*)(w.File + i.B.Offset), c = (T*)(w.File + i.C.Offset), r = (T*)(w.File + i.D.Offset);
        for (int n = 0; n < Warp.Lanes; n += Vector256<T>.Count)
            TOperation.Do(Vector256.Load(a + n), Vector256.Load(b + n), Vector256.Load(c + n)).Store(r + n);
    }

    /// <summary>Moves registers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Copy<T>(Warp w, Instruction i, uint mask)
        where T : unmanaged
    {
        if (mask == uint.MaxValue)
            new ReadOnlySpan<T>(w.File + i.A.Offset, Warp.Lanes).CopyTo(new Span<T>(w.File + i.D.Offset, Warp.Lanes));
        else Map<T, T, Copy<T>>(w, i, mask);
    }

    /// <summary>Sets a predicate from two registers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Compare<T, TOperation>(Warp w, Instruction i, uint mask)
        where T : unmanaged
        where TOperation : IBinary<T, T, bool>
    {
        T* a = (T*)(w.File + i.A.Offset), b = (T*)(w.File + i.B.Offset);
        uint bits = 0;
        for (int n = 0; n < Warp.Lanes; n++) bits |= (TOperation.Do(a[n], b[n]) ? 1u : 0) << n;
        Exchanges.SetPredicate(w, i.D, mask, bits);
    }

    /// <summary>Sets a predicate from one register.</summary>
    public static void Test<T, TOperation>(Warp w, Instruction i, uint mask)
        where T : unmanaged
        where TOperation : IUnary<T, bool>
    {
        T* a = (T*)(w.File + i.A.Offset);
        uint bits = 0;
        for (int n = 0; n < Warp.Lanes; n++) bits |= (TOperation.Do(a[n]) ? 1u : 0) << n;
        Exchanges.SetPredicate(w, i.D, mask, bits);
    }

    /// <summary>Sets a predicate from two registers, several threads at once.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void WideCompare<T, TOperation>(Warp w, Instruction i, uint mask)
        where T : unmanaged
        where TOperation : IWideCompare<T>
    {
        T* a = (T*)(w.File + i.A.Offset), b = (T*)(w.File + i.B.Offset);
        uint bits = 0;
        for (int n = 0; n < Warp.Lanes; n += Vector256<T>.Count)
            bits |= TOperation.Holds(Vector256.Load(a + n), Vector256.Load(b + n)).ExtractMostSignificantBits() << n;
        Exchanges.SetPredicate(w, i.D, mask, bits);
    }

    /// <summary>Takes one of two registers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Select<T>(Warp w, Instruction i, uint mask)
        where T : unmanaged
    {
        T* a = (T*)(w.File + i.A.Offset), b = (T*)(w.File + i.B.Offset), r = (T*)(w.File + i.D.Offset);
        uint first = w.Predicates[i.C.Slot];
        for (uint left = mask; left != 0; left &= left - 1)
        {
            int n = BitOperations.TrailingZeroCount(left);
            r[n] = (first >> n & 1) != 0 ? a[n] : b[n];
        }
    }
}
