using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;
using Rpat.Engine.Gpu.Graphs;
using Rpat.Engine.Gpu.Kernels;
using Device = Rpat.Engine.Devices.Device;

namespace Rpat.Engine.Gpu;

/// <summary>
/// The GPU backend: NHWC activations, kernels compiled from C# to PTX, and one stream for all work. Uploads go through pinned memory and
/// return at once; downloads wait for all work queued before.
/// </summary>
public sealed partial class GpuDevice : Device
{
    private readonly Context _context;
    private readonly Accelerator _accelerator;
    private readonly AcceleratorStream _stream;
    private readonly IWorkQueue _queue;
    private readonly GpuKernels _kernels;
    private readonly UploadBuffers _staging;
    private readonly CaptureGuard _capture = new();
    private readonly HashSet<GpuBuffer> _buffers = [];
    private IGraphDriver? _graphs;

    private GpuDevice(
        Context context, Accelerator accelerator, string name, Precision precision, IGraphDriver? graphs,
        Func<StreamQueue, IWorkQueue>? through = null, Action<nint>? staged = null)
    {
        (_context, _accelerator, Name, Precision, _graphs) = (context, accelerator, name, precision, graphs);
        _stream = accelerator.CreateStream(); // not the default stream: that one synchronises with all others and cannot be captured
        var queue = new StreamQueue(accelerator, _stream);
        _queue = through?.Invoke(queue) ?? queue;
        _staging = new UploadBuffers(accelerator, _stream, _queue, _capture, staged);
        _kernels = precision == Precision.Bf16
            ? new GpuKernels<Bf16>(accelerator, _stream, _queue, _staging, _capture, precision)
            : new GpuKernels<F32>(accelerator, _stream, _queue, _staging, _capture, precision);
    }

    /// <summary>How convolutions multiply.</summary>
    public Precision Precision { get; }

    /// <inheritdoc/>
    public override string Name { get; }

    /// <inheritdoc/>
    public override string Description =>
        $"{_accelerator.Name}, {_accelerator.MemorySize >> 30} GiB, {Precision.ToString().ToLowerInvariant()} convolution"
            + (RoundsActivations ? " and activations" : "");

    /// <inheritdoc/>
    public override IKernels Kernels => (IKernels)_kernels;

    /// <summary>
    /// A device in host memory that runs the kernels on the CPU: for tests only, a thousand times slower than the CPU backend.
    /// </summary>
    /// <param name="precision">How convolutions multiply; ILGPU's CPU accelerator has no tensor cores.</param>
    internal static GpuDevice Simulator(
        Precision precision = Precision.Fp32, IGraphDriver? graphs = null, Func<IWorkQueue, IWorkQueue>? through = null)
    {
        // A thread of the system for each thread of the largest group, all of which wake at each launch; few, if another queue runs kernels.
        var context = Make(builder => builder.CPU(new CPUDevice(32, through is null ? 8 : 1, 1)));
        return new GpuDevice(context, context.CreateCPUAccelerator(0), "simulator", precision, graphs, through);
    }

    /// <inheritdoc/>
    public override bool Captures => _graphs is not null;

    /// <inheritdoc/>
    internal override long Moves => base.Moves + _kernels.Scratch.Moves;

    /// <inheritdoc/>
    public override CapturedWork? Capture(Action queue)
    {
        if (_graphs is null) return null;
        try
        {
            return _capture.Record(_graphs, _stream, queue);
        }
        catch (GraphException e)
        {
            if (e.IsFinal) _graphs = null;
            Note($"{Name} does not capture {(e.IsFinal ? "steps" : "this step")}, since {e.Message}: kernels are launched one by one.");
            return null;
        }
    }

    /// <inheritdoc/>
    public override DeviceBuffer Allocate(long words)
    {
        RequireAlive();
        _capture.Forbid("allocates memory");
        // Whole quads, so that a plain buffer's last quad belongs to it.
        var buffer = new GpuBuffer(_queue.Allocate(Math.Max(1, (words + 3) / 4) * 4), 0, words);
        _buffers.Add(buffer);
        _queue.Clear(buffer.Block.View.BaseView);
        return buffer;
    }

    /// <inheritdoc/>
    public override void Free(DeviceBuffer buffer)
    {
        if (!_buffers.Remove((GpuBuffer)buffer)) return;
        _capture.Forbid("frees memory");
        Synchronize(); // queued kernels may still use it
        ((GpuBuffer)buffer).Block.Dispose();
    }

    /// <inheritdoc/>
    public override void Upload(ReadOnlySpan<float> source, DeviceBuffer destination) => _staging.Upload(source, destination.Floats());

    /// <inheritdoc/>
    public override void Upload(ReadOnlySpan<int> source, DeviceBuffer destination) => _staging.Upload(source, destination.Ints());

    /// <inheritdoc/>
    public override void Download(DeviceBuffer source, Span<float> destination) => Download(source.Floats(), destination);

    /// <inheritdoc/>
    public override void Copy(DeviceBuffer source, DeviceBuffer destination)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(source.Length, destination.Length);
        _queue.Copy(source.Floats(), destination.Floats());
    }

    /// <inheritdoc/>
    public override void UploadBlocked(ReadOnlySpan<float> source, Shape shape, DeviceBuffer destination)
    {
        var plain = _kernels.Scratch.Words(ScratchSlot.Transfer, shape.Count);
        _staging.Upload(source, plain);
        _kernels.Pack(shape, plain, destination);
    }

    /// <inheritdoc/>
    public override void DownloadBlocked(DeviceBuffer source, Shape shape, Span<float> destination)
    {
        var plain = _kernels.Scratch.Words(ScratchSlot.Transfer, shape.Count);
        _kernels.Unpack(shape, source, plain);
        Download(plain, destination);
    }

    /// <inheritdoc/>
    public override long StorageLength(Shape shape, Layout layout) =>
        layout == Layout.Plain ? GpuKernels.Countable(shape, shape.Count) : _kernels.ActivationWords(shape);

    /// <inheritdoc/>
    public override bool RoundsActivations => Precision == Precision.Bf16;

    /// <inheritdoc/>
    public override int ChannelLength(int channels) => 4 * GpuKernels.ChannelQuads(channels);

    /// <inheritdoc/>
    public override void Synchronize()
    {
        _capture.Forbid("waits for the device");
        _stream.Synchronize();
    }

    /// <inheritdoc/>
    public override double QueuePeakFma() => _kernels.QueueMultiplyAdds();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (!disposing) return;
        FreeAll([
            _stream.Synchronize, .. _buffers.Select<GpuBuffer, Action>(buffer => buffer.Block.Dispose), _buffers.Clear,
            _kernels.Scratch.Free, _staging.Free, _stream.Dispose, _accelerator.Dispose, _context.Dispose,
        ]);
    }

    /// <summary>After an error of the driver, which whoever ran into it has seen, each of these may fail too.</summary>
    internal static void FreeAll(IEnumerable<Action> frees)
    {
        foreach (var free in frees)
            try
            {
                free();
            }
            catch (AcceleratorException)
            {
            }
    }

    /// <summary>
    /// A context with the options that kernels are compiled with. Address spaces of loads and stores are inferred only at the highest
    /// optimisation level.
    /// </summary>
    internal static Context Make(Action<Context.Builder> devices) => Context.Create(builder =>
    {
        builder.Optimize(OptimizationLevel.O2);
        devices(builder);
    });

    private unsafe void Download(ArrayView<float> source, Span<float> destination)
    {
        _capture.Forbid("copies to the host");
        ArgumentOutOfRangeException.ThrowIfGreaterThan(destination.Length, source.Length, nameof(destination));
        if (destination.IsEmpty) return;
        // ILGPU takes the address without pinning: a garbage collection in between would let the copy write where the array was.
        fixed (float* pinned = destination)
            source.SubView(0, destination.Length).CopyToCPU(_stream, ref *pinned, destination.Length);
    }
}
