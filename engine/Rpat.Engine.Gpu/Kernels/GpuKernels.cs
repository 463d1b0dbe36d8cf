using ILGPU;
using ILGPU.Runtime;
using Rpat.Engine.Gpu.Graphs;

namespace Rpat.Engine.Gpu.Kernels;

/// <summary>
/// The GPU backend's kernels, one file per op, with the same name as in the engine's <c>Ops/</c>. Activations are NHWC,
/// <c>[N][H][W][⌈C/4⌉·4]</c>, channels beyond C stored as zeros: a pixel is a row of quads, and every load of an activation moves 128 bits.
/// All reductions have a fixed order that depends on shapes only.
/// </summary>
internal sealed partial class GpuKernels(
    Accelerator accelerator, AcceleratorStream stream, IWorkQueue queue, UploadBuffers staging, CaptureGuard capture, Precision precision)
        : IKernels
{
    /// <summary>Default number of threads of a group.</summary>
    private const int Threads = 256;

    private const int WarpsOfGroup = 4;

    private readonly Dictionary<Type, Delegate> _loaded = []; // keeps them alive: the accelerator has only weak references
    private readonly Scratch _scratch = new(queue, stream, capture);
    private readonly Precision _precision = precision;

    /// <summary>Memory that lives for one op.</summary>
    public Scratch Scratch => _scratch;

    /// <summary>Compiles a kernel without running it.</summary>
    public Action<KernelConfig, T> Load<T>() where T : struct, IKernel
    {
        if (_loaded.TryGetValue(typeof(T), out var known)) return (Action<KernelConfig, T>)known;
        capture.Forbid("compiles a kernel");
        var launcher = queue.Load<T>();
        _loaded[typeof(T)] = launcher;
        return launcher;
    }

    /// <summary>One thread per item; the kernel checks that its item exists.</summary>
    private void ForEach<T>(long items, in T kernel) where T : struct, IKernel => Launch(Ceiling(items, Threads), Threads, kernel);

    /// <summary>One warp per item.</summary>
    private void ForEachWarp<T>(int items, in T kernel) where T : struct, IKernel =>
        Launch(Ceiling(items, WarpsOfGroup), WarpsOfGroup * Reduce.WarpSize, kernel);

    private void Launch<T>(int groups, int threads, in T kernel) where T : struct, IKernel =>
        Launch(new KernelConfig(new Index3D(groups, 1, 1), new Index3D(threads, 1, 1)), kernel);

    private void Launch<T>(in KernelConfig config, in T kernel) where T : struct, IKernel
    {
        if (config.GridDim.Size > 0) Load<T>()(config, kernel);
    }

    private static int Ceiling(long count, int of) => checked((int)((count + of - 1) / of));

    private static int Quads(long count) => Ceiling(count, 4);
}
