using ILGPU;
using ILGPU.Runtime;

namespace Rpat.Engine.Gpu.Queues;

/// <summary>
/// What the backend has a device do: memory, and the copies and kernels of its one stream, in order. In the product that is ILGPU; tests
/// put a machine in its place that runs the text which a GPU would get.
/// </summary>
internal interface IWorkQueue
{
    /// <summary>Memory that nobody has written.</summary>
    /// <exception cref="OutOfMemoryException">The device has not that much.</exception>
    MemoryBuffer1D<float, Stride1D.Dense> Allocate(long words);

    /// <summary>Queues zeros.</summary>
    void Clear(ArrayView<float> target);

    /// <summary>Queues a copy, from pinned memory or from the device's own.</summary>
    void Copy<T>(ArrayView<T> source, ArrayView<T> target) where T : unmanaged;

    /// <summary>Compiles a kernel; what is returned queues it.</summary>
    Action<KernelConfig, T> Load<T>() where T : struct, IKernel;
}

/// <summary>The queue that ILGPU gives.</summary>
internal sealed class StreamQueue(Accelerator accelerator, AcceleratorStream stream) : IWorkQueue
{
    /// <summary>The stream that it queues on.</summary>
    public AcceleratorStream Stream => stream;

    /// <inheritdoc/>
    public MemoryBuffer1D<float, Stride1D.Dense> Allocate(long words)
    {
        try
        {
            return accelerator.Allocate1D<float>(words);
        }
        catch (Exception e) when (IsLackOfMemory(e))
        {
            throw new OutOfMemoryException($"The GPU has no room for a buffer of {words * sizeof(float) >> 20} MiB.", e);
        }
    }

    /// <inheritdoc/>
    public void Clear(ArrayView<float> target) => target.MemSetToZero(stream);

    /// <inheritdoc/>
    public void Copy<T>(ArrayView<T> source, ArrayView<T> target) where T : unmanaged => target.CopyFrom(stream, source);

    /// <inheritdoc/>
    public Action<KernelConfig, T> Load<T>() where T : struct, IKernel
    {
        var launch = accelerator.LoadKernel<T>(Entry.Of<T>);
        return (config, kernel) => launch(stream, config, kernel);
    }

    // The driver's own words for its error 2; the package wraps them in an exception of a type that only its CUDA half knows.
    private static bool IsLackOfMemory(Exception e) =>
        e is not OutOfMemoryException && e.Message.Contains("out of memory", StringComparison.OrdinalIgnoreCase);
}
