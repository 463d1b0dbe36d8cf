namespace Rpat.Engine.Kernels.Cpu;

internal static class Simd
{
    /// <summary>max(v, floor) in one instruction; NaN in <paramref name="v"/> stays NaN, as in PyTorch's ReLU.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec AtLeast(Vec v, Vec floor) => Vector512.MaxNative(floor, v);

    /// <summary>v clamped to [low, high]; NaN in <paramref name="v"/> stays NaN, and a bound of NaN has no effect.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec Clamp(Vec v, Vec low, Vec high) => Vector512.MinNative(high, Vector512.MaxNative(low, v));
}
