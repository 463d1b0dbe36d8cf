namespace Rpat.Engine.Kernels.Cpu;

internal static class Simd
{
    /// <summary>max(v, floor) in one instruction; a NaN in <paramref name="v"/> stays one, as in PyTorch's ReLU.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec AtLeast(Vec v, Vec floor) => Vector512.MaxNative(floor, v);

    /// <summary>v within [low, high]; a NaN in <paramref name="v"/> stays one, and one in a bound does not bound.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec Clamp(Vec v, Vec low, Vec high) => Vector512.MinNative(high, Vector512.MaxNative(low, v));
}
