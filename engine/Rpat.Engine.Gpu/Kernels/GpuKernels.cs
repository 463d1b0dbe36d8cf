using ILGPU;
using ILGPU.Runtime;
using Rpat.Engine.Gpu.Graphs;

namespace Rpat.Engine.Gpu.Kernels;

/// <summary>
/// The GPU backend's kernels, one file per op, with the same name as in the engine's <c>Ops/</c>. Activations are NHWC,
/// <c>[N][H][W][⌈C/4⌉·4]</c>, channels beyond C stored as zeros: a pixel is a row of quads, which a thread loads at once. All reductions
/// have a fixed order that depends on shapes only. Here are the kernels of plain tensors, which are float32 in every precision.
/// </summary>
internal abstract partial class GpuKernels(
    Accelerator accelerator, AcceleratorStream stream, IWorkQueue queue, UploadBuffers staging, CaptureGuard capture, Precision precision)
{
    /// <summary>Default number of threads of a group.</summary>
    private protected const int Threads = 256;

    /// <summary>Number of groups that fills a large GPU once; a product with fewer tiles uses split-K.</summary>
    private protected const int EnoughGroups = 256;

    // Where threads share nothing: threads of a group with an item each, and warps of a group with an item each. On ILGPU's CPU accelerator
    // each is a thread of the system, and all of the largest group wake at every launch.
    private readonly (int Threads, int Warps) _group =
        queue is StreamQueue && accelerator.AcceleratorType == AcceleratorType.CPU ? (Reduce.WarpSize, 1) : (Threads, 4);

    private readonly Dictionary<Type, Delegate> _loaded = []; // keeps them alive: the accelerator has only weak references
    private protected readonly Scratch _scratch = new(queue, stream, capture);
    private protected readonly Precision _precision = precision;

    /// <summary>Memory that lives for one op.</summary>
    public Scratch Scratch => _scratch;

    /// <summary>Wide tiles below which a product has narrow ones.</summary>
    public int LeastWideTiles { get; set; } = EnoughGroups;

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
    private protected void ForEach<T>(long items, in T kernel) where T : struct, IKernel =>
        Launch(Ceiling(items, _group.Threads), _group.Threads, kernel);

    /// <summary>One warp per item.</summary>
    private protected void ForEachWarp<T>(int items, in T kernel) where T : struct, IKernel =>
        Launch(Ceiling(items, _group.Warps), _group.Warps * Reduce.WarpSize, kernel);

    private protected void Launch<T>(int groups, int threads, in T kernel) where T : struct, IKernel =>
        Launch(new KernelConfig(new Index3D(groups, 1, 1), new Index3D(threads, 1, 1)), kernel);

    private protected void Launch<T>(in KernelConfig config, in T kernel) where T : struct, IKernel
    {
        if (config.GridDim.Size > 0) Load<T>()(config, kernel);
    }

    /// <summary>Groups of a tensor-core kernel, with dynamic shared memory.</summary>
    private protected static KernelConfig TensorGroup(Index3D grid, int bytes) =>
        new(grid, new Index3D(GemmTile.Threads, 1, 1), SharedMemoryConfig.RequestDynamic<byte>(bytes));

    private protected static int Ceiling(long count, int of) => checked((int)((count + of - 1) / of));

    private protected static int Quads(long count) => Ceiling(count, 4);

    /// <summary>Quads that hold that many channels.</summary>
    public static int ChannelQuads(int channels) => (channels + 3) / 4;

    /// <summary>Quads of an activation.</summary>
    public static long ActivationQuads(Shape s) => (long)s.N * s.Area * ChannelQuads(s.C);

    /// <summary>Words of an activation.</summary>
    /// <exception cref="ShapeException">It is over 2³¹ − 1 values.</exception>
    public abstract long ActivationWords(Shape s);

    /// <summary>The number of values of a tensor, padding included.</summary>
    /// <exception cref="ShapeException">Kernels, which count in 32 bits, cannot count them.</exception>
    public static long Countable(Shape s, long values) => values <= int.MaxValue ? values
        : throw new ShapeException("Tensor", $"{s} is over 2^31 - 1 values on a GPU, padding included: choose a smaller batch");

    /// <summary>Plain values to an activation.</summary>
    public abstract void Pack(Shape s, ArrayView<float> plain, DeviceBuffer to);

    /// <summary>An activation to plain values.</summary>
    public abstract void Unpack(Shape s, DeviceBuffer from, ArrayView<float> plain);
}

/// <summary>The kernels of activations too, which are stored as <typeparamref name="S"/> says.</summary>
internal sealed partial class GpuKernels<S>(
    Accelerator accelerator, AcceleratorStream stream, IWorkQueue queue, UploadBuffers staging, CaptureGuard capture, Precision precision)
        : GpuKernels(accelerator, stream, queue, staging, capture, precision), IKernels where S : struct, IStorage;

