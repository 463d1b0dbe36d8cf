namespace Rpat.Engine.Kernels.Cpu;

internal static class Simd
{
    /// <summary>max(v, floor) in one instruction; NaN in <paramref name="v"/> stays NaN, as in PyTorch's ReLU.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec AtLeast(Vec v, Vec floor) => Vector512.MaxNative(floor, v);

    /// <summary>v clamped to [low, high]; NaN in <paramref name="v"/> stays NaN, and a bound of NaN has no effect.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec Clamp(Vec v, Vec low, Vec high) => Vector512.MinNative(high, Vector512.MaxNative(low, v));

    /// <summary>
    /// eˣ to 1.2 ulp: x = n·ln 2 + r with |r| ≤ ln 2 / 2, the Taylor series of eʳ, and 2ⁿ in two factors, so that results below the
    /// normal numbers and above all numbers are right too.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec Exp(Vec x)
    {
        Vec within = Clamp(x, Vector512.Create(-120f), Vector512.Create(120f)), n = Vector512.Round(within * Vector512.Create(1.44269504f));
        Vec r = Vector512.MultiplyAddEstimate(n, Vector512.Create(-0.693359375f), within);
        r = Vector512.MultiplyAddEstimate(n, Vector512.Create(2.12194440e-4f), r);
        Vec p = Vector512.MultiplyAddEstimate(r, Vector512.Create(1f / 5040), Vector512.Create(1f / 720));
        p = Vector512.MultiplyAddEstimate(p, r, Vector512.Create(1f / 120));
        p = Vector512.MultiplyAddEstimate(p, r, Vector512.Create(1f / 24));
        p = Vector512.MultiplyAddEstimate(p, r, Vector512.Create(1f / 6));
        p = Vector512.MultiplyAddEstimate(p, r, Vector512.Create(0.5f));
        p = Vector512.MultiplyAddEstimate(p, r * r, r) + Vec.One;
        Vector512<int> exponent = Vector512.ConvertToInt32Native(n), half = exponent >> 1;
        return p * PowerOfTwo(half) * PowerOfTwo(exponent - half);
    }

    private static Vec PowerOfTwo(Vector512<int> n) => (n + Vector512.Create(127) << 23).AsSingle();
}
