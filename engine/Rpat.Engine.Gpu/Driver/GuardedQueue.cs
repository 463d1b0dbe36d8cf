using ILGPU;
using ILGPU.Runtime;

namespace Rpat.Engine.Gpu.Driver;

/// <summary>Loads kernels onto a GPU.</summary>
internal interface IKernelLoader
{
    /// <summary>Compiles a kernel and loads it.</summary>
    /// <param name="check">Called with the PTX text before the driver gets it; may throw to refuse it.</param>
    /// <returns>The driver's handle, and a delegate that queues the kernel.</returns>
    /// <exception cref="DeviceUnavailableException">The driver refuses.</exception>
    (nint Function, Action<KernelConfig, T> Queue) Load<T>(Action<string> check) where T : struct, IKernel;
}

/// <summary>
/// The queue of a GPU: each kernel is checked before it is loaded and before it is launched, and only one thread at a time may queue.
/// </summary>
internal sealed class GuardedQueue(IWorkQueue queue, IKernelLoader loader, KernelGuard guard, ThreadGuard threads) : IWorkQueue
{
    public MemoryBuffer1D<float, Stride1D.Dense> Allocate(long words)
    {
        using var turn = threads.Enter();
        return queue.Allocate(words);
    }

    public void Clear(ArrayView<float> target)
    {
        using var turn = threads.Enter();
        queue.Clear(target);
    }

    public void Copy<T>(ArrayView<T> source, ArrayView<T> target) where T : unmanaged
    {
        using var turn = threads.Enter();
        queue.Copy(source, target);
    }

    public Action<KernelConfig, T> Load<T>() where T : struct, IKernel
    {
        using var loading = threads.Enter();
        string name = PtxKernel.NameOf(typeof(T));
        var (function, launch) = loader.Load<T>(text => guard.RequireText(name, text));
        var kernel = guard.Describe(name, function);
        return (config, arguments) =>
        {
            using var turn = threads.Enter();
            guard.RequireLaunch(kernel, config.GridDim, config.GroupDim.Size, config.SharedMemoryConfig.ArraySize);
            launch(config, arguments);
        };
    }
}
