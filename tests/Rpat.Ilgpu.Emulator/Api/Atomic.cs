using System.Runtime.CompilerServices;
using Rpat.Ilgpu.Emulator.Execution;

namespace ILGPU;

/// <summary>Atomic operations; each returns the old value. In shared memory they are noted as atomic, so that they may meet each other.</summary>
public static unsafe partial class Atomic
{
    /// <summary>Adds.</summary>
    public static int Add(ref int target, int value) => Interlocked.Add(ref Noted(ref target), value) - value;

    /// <summary>Adds.</summary>
    public static uint Add(ref uint target, uint value) => Interlocked.Add(ref Noted(ref target), value) - value;

    /// <summary>Adds.</summary>
    public static long Add(ref long target, long value) => Interlocked.Add(ref Noted(ref target), value) - value;

    /// <summary>Adds.</summary>
    public static ulong Add(ref ulong target, ulong value) => Interlocked.Add(ref Noted(ref target), value) - value;

    /// <summary>Adds.</summary>
    public static float Add(ref float target, float value) => Update(ref Noted(ref target), value, static (a, b) => a + b);

    /// <summary>The larger.</summary>
    public static float Max(ref float target, float value) => Update(ref Noted(ref target), value, MathF.Max);

    /// <summary>The smaller.</summary>
    public static float Min(ref float target, float value) => Update(ref Noted(ref target), value, MathF.Min);

    /// <summary>The larger.</summary>
    public static int Max(ref int target, int value) => Update(ref Noted(ref target), value, Math.Max);

    /// <summary>The smaller.</summary>
    public static int Min(ref int target, int value) => Update(ref Noted(ref target), value, Math.Min);

    /// <summary>Both.</summary>
    public static int And(ref int target, int value) => Interlocked.And(ref Noted(ref target), value);

    /// <summary>Either.</summary>
    public static int Or(ref int target, int value) => Interlocked.Or(ref Noted(ref target), value);

    /// <summary>Replaces.</summary>
    public static int Exchange(ref int target, int value) => Interlocked.Exchange(ref Noted(ref target), value);

    /// <summary>Replaces.</summary>
    public static float Exchange(ref float target, float value) => Interlocked.Exchange(ref Noted(ref target), value);

    /// <summary>Replaces where the old value is the one expected.</summary>
    public static int CompareExchange(ref int target, int compare, int value) => Interlocked.CompareExchange(ref Noted(ref target), value, compare);

    private static ref T Noted<T>(ref T target)
    {
        Lane.Current.Group.Shared.TouchAtomic((byte*)Unsafe.AsPointer(ref target));
        return ref target;
    }

    private static float Update(ref float target, float value, Func<float, float, float> operation)
    {
        while (true)
        {
            float old = Volatile.Read(ref target);
            float wanted = operation(old, value);
            if (BitConverter.SingleToInt32Bits(Interlocked.CompareExchange(ref target, wanted, old)) == BitConverter.SingleToInt32Bits(old)) return old;
        }
    }

    private static int Update(ref int target, int value, Func<int, int, int> operation)
    {
        while (true)
        {
            int old = Volatile.Read(ref target);
            if (Interlocked.CompareExchange(ref target, operation(old, value), old) == old) return old;
        }
    }
}
