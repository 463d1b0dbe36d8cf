namespace ILGPU;

/// <summary>The grid, the group and the dynamic shared memory of one launch.</summary>
public readonly struct KernelConfig(Index3D gridDim, Index3D groupDim, SharedMemoryConfig sharedMemoryConfig)
{
    /// <summary>A one-dimensional launch.</summary>
    public KernelConfig(Index1D gridDim, Index1D groupDim) : this(gridDim, groupDim, default)
    {
    }

    /// <summary>A one-dimensional launch with dynamic shared memory.</summary>
    public KernelConfig(Index1D gridDim, Index1D groupDim, SharedMemoryConfig sharedMemoryConfig)
        : this(new Index3D(gridDim.X, 1, 1), new Index3D(groupDim.X, 1, 1), sharedMemoryConfig)
    {
    }

    /// <summary>A two-dimensional launch.</summary>
    public KernelConfig(Index2D gridDim, Index2D groupDim) : this(gridDim, groupDim, default)
    {
    }

    /// <summary>A two-dimensional launch with dynamic shared memory.</summary>
    public KernelConfig(Index2D gridDim, Index2D groupDim, SharedMemoryConfig sharedMemoryConfig)
        : this(new Index3D(gridDim.X, gridDim.Y, 1), new Index3D(groupDim.X, groupDim.Y, 1), sharedMemoryConfig)
    {
    }

    /// <summary>A three-dimensional launch.</summary>
    public KernelConfig(Index3D gridDim, Index3D groupDim) : this(gridDim, groupDim, default)
    {
    }

    /// <summary>Groups of the grid.</summary>
    public Index3D GridDim { get; } = gridDim;

    /// <summary>Threads of a group.</summary>
    public Index3D GroupDim { get; } = groupDim;

    /// <summary>Dynamic shared memory of a group.</summary>
    public SharedMemoryConfig SharedMemoryConfig { get; } = sharedMemoryConfig;

    /// <summary>Threads of the whole launch.</summary>
    public readonly long Size => GridDim.LongSize * GroupDim.LongSize;

    /// <summary>From a one-dimensional grid and group.</summary>
    public static implicit operator KernelConfig((Index1D, Index1D) dimensions) => new(dimensions.Item1, dimensions.Item2);

    /// <summary>From a three-dimensional grid and group.</summary>
    public static implicit operator KernelConfig((Index3D, Index3D) dimensions) => new(dimensions.Item1, dimensions.Item2);
}

/// <summary>Dynamic shared memory that a launch asks for.</summary>
public readonly struct SharedMemoryConfig
{
    /// <summary>None.</summary>
    public static readonly SharedMemoryConfig Empty;

    /// <summary>Room for a number of elements of a size in bytes.</summary>
    public SharedMemoryConfig(int numElements, int elementSize)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(numElements);
        ArgumentOutOfRangeException.ThrowIfNegative(elementSize);
        (NumElements, ElementSize) = (numElements, elementSize);
    }

    /// <summary>Elements.</summary>
    public int NumElements { get; }

    /// <summary>Bytes an element.</summary>
    public int ElementSize { get; }

    /// <summary>Bytes in all.</summary>
    public int ArraySize => NumElements * ElementSize;

    /// <summary>Whether any is asked for.</summary>
    public bool UsesDynamicSharedMemory => ArraySize > 0;

    /// <summary>Room for a number of elements of a type.</summary>
    public static SharedMemoryConfig RequestDynamic<T>(int numElements)
        where T : unmanaged
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(numElements, 1);
        return new SharedMemoryConfig(numElements, Interop.SizeOf<T>());
    }
}
