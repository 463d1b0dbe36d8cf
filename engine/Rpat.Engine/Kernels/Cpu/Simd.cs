using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Vec = System.Runtime.Intrinsics.Vector512<float>;

namespace Rpat.Engine.Kernels.Cpu;

internal static class Simd
{
    /// <summary>max(v, floor) in one instruction; a NaN in <paramref name="v"/> stays one, as in PyTorch's ReLU.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec AtLeast(Vec v, Vec floor) => Vector512.MaxNative(floor, v);
}
