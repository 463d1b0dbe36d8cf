using Rpat.Ilgpu.Emulator.Execution;

namespace ILGPU.Runtime;

/// <summary>An open device: allocates memory, loads and runs kernels.</summary>
public abstract partial class Accelerator : IDisposable
{
    private readonly HashSet<MemoryBuffer> _buffers = [];

    private protected Accelerator(Context context, Device device)
    {
        (Context, Device) = (context, device);
        DefaultStream = CreateStream();
    }

    /// <summary>What a kernel finds itself running on: an NVIDIA GPU, as far as the emulator is concerned.</summary>
    public static AcceleratorType CurrentType => AcceleratorType.Cuda;

    /// <summary>The context.</summary>
    public Context Context { get; }

    /// <summary>The device.</summary>
    public Device Device { get; }

    /// <summary>The queue that is there from the start.</summary>
    public AcceleratorStream DefaultStream { get; protected set; }

    /// <summary>The device's kind.</summary>
    public AcceleratorType AcceleratorType => Device.AcceleratorType;

    /// <summary>The device's name.</summary>
    public string Name => Device.Name;

    /// <summary>Bytes of memory.</summary>
    public long MemorySize => Device.MemorySize;

    /// <summary>Threads of a warp.</summary>
    public int WarpSize => Device.WarpSize;

    /// <summary>Processors.</summary>
    public int NumMultiprocessors => Device.NumMultiprocessors;

    /// <summary>Threads that a group may have.</summary>
    public int MaxNumThreadsPerGroup => Device.MaxNumThreadsPerGroup;

    /// <summary>Bytes of shared memory that a group may have.</summary>
    public int MaxSharedMemoryPerGroup => Device.MaxSharedMemoryPerGroup;

    /// <summary>A queue. Kernels run when they are launched, so that queues are always empty.</summary>
    public AcceleratorStream CreateStream() => new EmulatedStream(this);

    /// <summary>Waits for all queues.</summary>
    public void Synchronize()
    {
    }

    /// <summary>Memory full of a NaN pattern.</summary>
    public MemoryBuffer1D<T, Stride1D.Dense> Allocate1D<T>(long length)
        where T : unmanaged => new(this, length);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var buffer in _buffers.ToArray()) buffer.Dispose();
        GC.SuppressFinalize(this);
    }

    internal void Add(MemoryBuffer buffer)
    {
        lock (_buffers) _buffers.Add(buffer);
    }

    internal void Remove(MemoryBuffer buffer)
    {
        lock (_buffers) _buffers.Remove(buffer);
    }

    internal Action<AcceleratorStream, KernelConfig, Arguments> Load(Delegate kernel)
    {
        var loaded = new Launchable(kernel.Method);
        return (_, config, arguments) => loaded.Run(config, arguments);
    }
}

/// <summary>A queue of work.</summary>
public abstract class AcceleratorStream(Accelerator accelerator) : IDisposable
{
    /// <summary>Its accelerator.</summary>
    public Accelerator Accelerator { get; } = accelerator;

    /// <summary>Waits until it is empty.</summary>
    public abstract void Synchronize();

    /// <inheritdoc/>
    public void Dispose() => GC.SuppressFinalize(this);
}

/// <summary>A queue that is always empty.</summary>
internal sealed class EmulatedStream(Accelerator accelerator) : AcceleratorStream(accelerator)
{
    public override void Synchronize()
    {
    }
}
