using ILGPU.Runtime.Cuda;
using Rpat.Ilgpu.Emulator;
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
    public AcceleratorStream CreateStream() => new CudaStream(this);

    /// <summary>Waits for all queues.</summary>
    public void Synchronize() => ForbidWhileRecording("waits for all streams");

    /// <summary>Makes it the one that driver functions of this thread speak of; nothing to the emulator.</summary>
    public void Bind()
    {
    }

    /// <summary>Memory full of a NaN pattern.</summary>
    public MemoryBuffer1D<T, Stride1D.Dense> Allocate1D<T>(long length)
        where T : unmanaged
    {
        ForbidWhileRecording("allocates memory");
        return new(this, length);
    }

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

    /// <summary>The stream that records instead of running, if one does.</summary>
    internal AcceleratorStream? Recording { get; set; }

    internal Action<AcceleratorStream, KernelConfig, Arguments> Load(Delegate kernel)
    {
        ForbidWhileRecording("loads a kernel");
        var loaded = new Launchable(kernel.Method);
        return (stream, config, arguments) => stream.Queue(() => loaded.Run(config, arguments));
    }

    /// <summary>What is done while a stream records does not belong to the record, or is an error of the driver.</summary>
    internal void ForbidWhileRecording(string what)
    {
        if (Recording is not null) throw new EmulatorException($"The host {what} while a stream records.");
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

    /// <summary>What is being recorded, or null.</summary>
    internal List<Action>? Record { get; set; }

    /// <summary>Runs at once, or is recorded. While one stream records, work on another one would run out of its order.</summary>
    internal void Queue(Action work)
    {
        if (Record is null) Accelerator.ForbidWhileRecording("queues work on another stream");
        if (Record is null) work();
        else Record.Add(work);
    }
}
