using System.Numerics;
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
