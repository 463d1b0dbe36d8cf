using ILGPU;
using ILGPU.Runtime;

namespace Rpat.Engine.Gpu.Queues;

/// <summary>
/// The operations that the backend needs from a device: memory, and the copies and kernels of its one stream, in order. In the product this
/// is ILGPU; tests substitute a machine that runs the PTX that a GPU would get.
/// </summary>
internal interface IWorkQueue
{
    /// <summary>Uninitialised memory.</summary>
    /// <exception cref="OutOfMemoryException">Not enough device memory.</exception>
    MemoryBuffer1D<float, Stride1D.Dense> Allocate(long words);

    /// <summary>Queues a fill with zeros.</summary>
    void Clear(ArrayView<float> target);

    /// <summary>Queues a copy, from pinned memory or from the device's own.</summary>
    void Copy<T>(ArrayView<T> source, ArrayView<T> target) where T : unmanaged;

    /// <summary>Compiles a kernel; returns a delegate that queues it.</summary>
    Action<KernelConfig, T> Load<T>() where T : struct, IKernel;
}

/// <summary>The queue on an ILGPU stream.</summary>
internal sealed class StreamQueue(Accelerator accelerator, AcceleratorStream stream) : IWorkQueue
{
    /// <summary>The underlying stream.</summary>
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

    // The driver's own message for its error 2; ILGPU wraps it in an exception type that only its CUDA part has.
    private static bool IsLackOfMemory(Exception e) =>
        e is not OutOfMemoryException && e.Message.Contains("out of memory", StringComparison.OrdinalIgnoreCase);
}
