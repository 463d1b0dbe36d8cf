using System.Numerics;
using System.Runtime.Intrinsics;
using Rpat.PtxMachine.Execution;

namespace Rpat.PtxMachine.Operations;

/// <summary>Floating point: rounded to nearest even; denormals stay. What a GPU approximates is the correctly rounded value here.</summary>
internal static unsafe partial class OperationTable
{
    private static void AddFloats(Dictionary<string, Operation> all)
    {
        all.Add("add.rn?.f32", "www", &Lanes.Wide<float, CleanWide<Add<float>>>);
        all.Add("sub.rn?.f32", "www", &Lanes.Wide<float, CleanWide<Subtract<float>>>);
        all.Add("mul.rn?.f32", "www", &Lanes.Wide<float, CleanWide<Multiply<float>>>);
        all.Add("div.rn|full|approx.f32", "www", &Binary<Divide<float>>);
        all.Add("fma.rn.f32", "wwww", &Lanes.WideTernary<float, Fused>);
        all.Add("min.f32", "www", &Binary<MinNumber<float>>);
        all.Add("max.f32", "www", &Binary<MaxNumber<float>>);
        all.Add("min.NaN.f32", "www", &Binary<Min<float>>);
        all.Add("max.NaN.f32", "www", &Binary<Max<float>>);
        all.Add("neg.f32", "ww", &Lanes.Map<float, float, Negate<float>>);
        all.Add("abs.f32", "ww", &Lanes.Map<float, float, Absolute<float>>);
        all.Add("sqrt.rn|approx.f32", "ww", &Unary<SquareRoot<float>>);
        all.Add("rcp.rn|approx.f32", "ww", &Unary<Reciprocal<float>>);
        all.Add("rsqrt.approx.f32", "ww", &Unary<ReciprocalRoot>);
        all.Add("ex2.approx.f32", "ww", &Unary<Exp2>);
        all.Add("lg2.approx.f32", "ww", &Unary<Log2>);
        all.Add("sin.approx.f32", "ww", &Unary<Sine>);
        all.Add("cos.approx.f32", "ww", &Unary<Cosine>);
        all.Add("tanh.approx.f32", "ww", &Unary<Tangent>);
        AddDoubles(all);
    }

    private static void AddDoubles(Dictionary<string, Operation> all)
    {
        all.Add("add.rn?.f64", "xxx", &Lanes.Wide<double, Add<double>>);
        all.Add("sub.rn?.f64", "xxx", &Lanes.Wide<double, Subtract<double>>);
        all.Add("mul.rn?.f64", "xxx", &Lanes.Wide<double, Multiply<double>>);
        all.Add("div.rn.f64", "xxx", &Lanes.Map<double, double, double, Divide<double>>);
        all.Add("fma.rn.f64", "xxxx", &Lanes.WideTernary<double, Fused>);
        all.Add("min.f64", "xxx", &Lanes.Map<double, double, double, MinNumber<double>>);
        all.Add("max.f64", "xxx", &Lanes.Map<double, double, double, MaxNumber<double>>);
        all.Add("neg.f64", "xx", &Lanes.Map<double, double, Negate<double>>);
        all.Add("abs.f64", "xx", &Lanes.Map<double, double, Absolute<double>>);
        all.Add("sqrt.rn.f64", "xx", &Lanes.Map<double, double, SquareRoot<double>>);
        all.Add("rcp.rn.f64", "xx", &Lanes.Map<double, double, Reciprocal<double>>);
    }

    private static void Unary<T>(Warp w, Instruction i, uint mask)
        where T : IUnary<float, float> => Lanes.Map<float, float, CleanUnary<T>>(w, i, mask);

    private static void Binary<T>(Warp w, Instruction i, uint mask)
        where T : IBinary<float, float, float> => Lanes.Map<float, float, float, CleanBinary<T>>(w, i, mask);
}

/// <summary>The NaN that float32 arithmetic of a GPU gives; a CPU's would depend on the order of its operands.</summary>
internal static class Floats
{
    public const uint NaNBits = 0x7FFF_FFFF;

    public static float NaN => BitConverter.UInt32BitsToSingle(NaNBits);

    public static float Clean(float value) => float.IsNaN(value) ? NaN : value;

    public static Vector256<float> Clean(Vector256<float> values) =>
        Vector256.ConditionalSelect(Vector256.Equals(values, values), values, Vector256.Create(NaN));
}

internal readonly struct CleanUnary<T> : IUnary<float, float>
    where T : IUnary<float, float>
{
    public static float Do(float a) => Floats.Clean(T.Do(a));
}

internal readonly struct CleanBinary<T> : IBinary<float, float, float>
    where T : IBinary<float, float, float>
{
    public static float Do(float a, float b) => Floats.Clean(T.Do(a, b));
}

internal readonly struct CleanWide<T> : IWideBinary<float>
    where T : IWideBinary<float>
{
    public static float Do(float a, float b) => Floats.Clean(T.Do(a, b));

    public static Vector256<float> Do(Vector256<float> a, Vector256<float> b) => Floats.Clean(T.Do(a, b));
}

internal readonly struct Fused : IWideTernary<float>, IWideTernary<double>
{
    public static float Do(float a, float b, float c) => Floats.Clean(MathF.FusedMultiplyAdd(a, b, c));

    public static Vector256<float> Do(Vector256<float> a, Vector256<float> b, Vector256<float> c) =>
        Floats.Clean(Vector256.FusedMultiplyAdd(a, b, c));

    public static double Do(double a, double b, double c) => Math.FusedMultiplyAdd(a, b, c);

    public static Vector256<double> Do(Vector256<double> a, Vector256<double> b, Vector256<double> c) =>
        Vector256.FusedMultiplyAdd(a, b, c);
}

internal readonly struct Divide<T> : IBinary<T, T, T> where T : INumber<T> { public static T Do(T a, T b) => a / b; }
internal readonly struct MinNumber<T> : IBinary<T, T, T> where T : INumber<T> { public static T Do(T a, T b) => T.MinNumber(a, b); }
internal readonly struct MaxNumber<T> : IBinary<T, T, T> where T : INumber<T> { public static T Do(T a, T b) => T.MaxNumber(a, b); }
internal readonly struct SquareRoot<T> : IUnary<T, T> where T : IRootFunctions<T> { public static T Do(T a) => T.Sqrt(a); }
internal readonly struct Reciprocal<T> : IUnary<T, T> where T : INumber<T> { public static T Do(T a) => T.One / a; }
internal readonly struct ReciprocalRoot : IUnary<float, float> { public static float Do(float a) => (float)(1 / Math.Sqrt(a)); }
internal readonly struct Exp2 : IUnary<float, float> { public static float Do(float a) => (float)Math.Pow(2, a); }
internal readonly struct Log2 : IUnary<float, float> { public static float Do(float a) => (float)Math.Log2(a); }
internal readonly struct Sine : IUnary<float, float> { public static float Do(float a) => (float)Math.Sin(a); }
internal readonly struct Cosine : IUnary<float, float> { public static float Do(float a) => (float)Math.Cos(a); }
internal readonly struct Tangent : IUnary<float, float> { public static float Do(float a) => (float)Math.Tanh(a); }
