using ILGPU;

namespace Rpat.Engine.Gpu.Primitives;

/// <summary>
/// Numbers that are computed where they are written. The compiler moves arithmetic down to its use, into a loop too, and there a division
/// costs some twenty instructions each time; an exchange of a warp, of each thread with itself, it leaves in place.
/// </summary>
internal static class Pin
{
    /// <summary>The number; all threads of the warp must get here.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Here(int value) => Warp.Shuffle(value, Group.IdxX & Reduce.WarpSize - 1);
}
