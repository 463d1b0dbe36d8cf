using Rpat.Ilgpu.Emulator.Execution;

namespace ILGPU;

/// <summary>Memory of a group.</summary>
public static partial class SharedMemory
{
    /// <summary>One element.</summary>
    public static ref T Allocate<T>()
        where T : unmanaged => ref Allocate<T>(1)[0];

    /// <summary>A number of elements. The n-th call of every thread of a group returns the same memory.</summary>
    public static ArrayView<T> Allocate<T>(int extent)
        where T : unmanaged => Lane.Current.Group.Shared.Allocate<T>(Lane.Current, extent);

    /// <summary>A number of elements.</summary>
    public static Runtime.ArrayView1D<T, Stride1D.Dense> Allocate1D<T>(Index1D length)
        where T : unmanaged => Allocate<T>(length.X);

    /// <summary>The dynamic memory that the launch asked for.</summary>
    public static ArrayView<T> GetDynamic<T>()
        where T : unmanaged => Lane.Current.Group.Shared.Dynamic<T>();
}

/// <summary>Memory of a thread.</summary>
public static partial class LocalMemory
{
    /// <summary>A number of elements.</summary>
    public static ArrayView<T> Allocate<T>(int extent)
        where T : unmanaged => Lane.Current.Group.AllocateLocal<T>(extent);
}

/// <summary>Fences; the emulator runs one thread of a group at a time, so they have nothing to do.</summary>
public static class MemoryFence
{
    /// <summary>Orders accesses for the group.</summary>
    public static void GroupLevel()
    {
    }

    /// <summary>Orders accesses for the device.</summary>
    public static void DeviceLevel() => Interlocked.MemoryBarrier();

    /// <summary>Orders accesses for the system.</summary>
    public static void SystemLevel() => Interlocked.MemoryBarrier();
}
