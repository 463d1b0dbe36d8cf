namespace Rpat.PtxMachine.Operations;

/// <summary>Conversions that are frequent, or of types that nothing else has; <see cref="Conversions"/> does the others.</summary>
internal static unsafe partial class OperationTable
{
    private static void AddConversions(Dictionary<string, Operation> all)
    {
        all.Add("cvt.rna.tf32.f32", "ww", &Lanes.Map<float, uint, RoundTf32>);
        all.Add("cvt.rn.tf32.f32", "ww", &Lanes.Map<float, uint, RoundTf32Even>);
        all.Add("cvt.rn.bf16x2.f32", "www", &Lanes.Map<float, float, uint, RoundBf16Pair>);
        all.Add("cvt.rn.relu.bf16x2.f32", "www", &Lanes.Map<float, float, uint, ClampBf16Pair>);
        all.Add("cvt.rn.bf16.f32", "hw", &Lanes.Map<float, uint, RoundBf16>);
        all.Add("cvt.f32.bf16", "wh", &Lanes.Map<uint, uint, WidenBf16>);
        all.Add("cvt.f64.f32", "xw", &Lanes.Map<float, double, Widen>);
        all.Add("cvt.rn.f32.f64", "wx", &Lanes.Map<double, float, Narrow>);
        all.Add("cvt.rn.f64.s32", "xw", &Lanes.Map<int, double, Widen>);
        all.Add("cvt.rn.f64.u32", "xw", &Lanes.Map<uint, double, Widen>);
        all.Add("cvt.rn.f32.s32", "ww", &Lanes.Map<int, float, Narrow>);
        all.Add("cvt.rn.f32.u32", "ww", &Lanes.Map<uint, float, Narrow>);
        all.Add("cvt.rzi.s32.f32", "ww", &Lanes.Map<float, int, Truncate>);
        all.Add("cvt.rzi.s32.f64", "wx", &Lanes.Map<double, int, Truncate>);
        all.Add("cvt.s64.s32", "xw", &Lanes.Map<int, long, Widen>);
        all.Add("cvt.u64.u32", "xw", &Lanes.Map<uint, ulong, Widen>);
        all.Add("cvt.s32|u32.s64|u64", "wx", &Lanes.Map<ulong, uint, Narrow>);
    }
}

internal readonly struct RoundTf32 : IUnary<float, uint> { public static uint Do(float a) => Conversions.ToTf32(a); }
internal readonly struct RoundTf32Even : IUnary<float, uint> { public static uint Do(float a) => Conversions.ToTf32Even(a); }

/// <summary>The first operand goes to the upper half.</summary>
internal readonly struct RoundBf16Pair : IBinary<float, float, uint>
{
    public static uint Do(float a, float b) => Conversions.ToBf16(a) << 16 | Conversions.ToBf16(b);
}

/// <summary>Negative numbers become zero, NaN stays.</summary>
internal readonly struct ClampBf16Pair : IBinary<float, float, uint>
{
    public static uint Do(float a, float b) => RoundBf16Pair.Do(Clamp(a), Clamp(b));

    private static float Clamp(float a) => a <= 0 ? 0 : a;
}

internal readonly struct RoundBf16 : IUnary<float, uint> { public static uint Do(float a) => Conversions.ToBf16(a); }
internal readonly struct WidenBf16 : IUnary<uint, uint> { public static uint Do(uint a) => a << 16; }

internal readonly struct Widen : IUnary<float, double>, IUnary<int, long>, IUnary<uint, ulong>, IUnary<int, double>, IUnary<uint, double>
{
    static double IUnary<int, double>.Do(int a) => a;

    static double IUnary<uint, double>.Do(uint a) => a;

    public static double Do(float a) => a;

    public static long Do(int a) => a;

    public static ulong Do(uint a) => a;
}

internal readonly struct Narrow : IUnary<double, float>, IUnary<ulong, uint>, IUnary<int, float>, IUnary<uint, float>
{
    public static float Do(int a) => a;

    static float IUnary<uint, float>.Do(uint a) => a;

    public static float Do(double a) => Floats.Clean((float)a);

    public static uint Do(ulong a) => (uint)a;
}

/// <summary>Towards zero; what does not fit becomes the nearest that does, NaN 0, but the least number from f64.</summary>
internal readonly struct Truncate : IUnary<float, int>, IUnary<double, int>
{
    public static int Do(float a) => float.IsNaN(a) ? 0 : a >= int.MaxValue ? int.MaxValue : a <= int.MinValue ? int.MinValue : (int)a;

    public static int Do(double a) => double.IsNaN(a) || a <= int.MinValue ? int.MinValue : a >= int.MaxValue ? int.MaxValue : (int)a;
}
