namespace Rpat.Engine.Kernels.Cpu;

/// <summary>The CPU backend: nChw16c activations, persistent worker threads, SIMD kernels for AVX-512, AVX2 and 128-bit vectors.</summary>
public unsafe class CpuDevice : Device
{
    private readonly WorkerPool _pool;
    private readonly CpuKernels _kernels;
    private readonly HashSet<CpuBuffer> _buffers = [];
    private readonly InstructionSet _set;
    private readonly int _l2;
    private long _words;

    internal CpuDevice(int threads, ConvolutionAlgorithm convolution, InstructionSet? set = null, int? l2 = null)
    {
        if ((uint)threads > 1024) throw new ArgumentOutOfRangeException(nameof(threads), threads, "threads is a number from 0 to 1024.");
        Threads = threads == 0 ? Environment.ProcessorCount : threads;
        Convolution = convolution;
        _set = set ?? Tile.Best;
        _pool = new WorkerPool(Threads);
        _l2 = l2 ?? Cache.L2;
        _kernels = new CpuKernels(_pool, _set, convolution, _l2);
    }

    /// <summary>Threads in use, the caller's included.</summary>
    public int Threads { get; }

    /// <summary>
    /// The largest total size of tensors, in bytes; initially the memory available to the process. Beyond it <see cref="Allocate"/> fails,
    /// where many systems would grant the memory and kill the process when it is used.
    /// </summary>
    public long MemoryLimit { get; set; } = MachineMemory.Total();

    /// <summary>
    /// If set, each kernel's items run one after another on the caller, divided as for <see cref="Threads"/>, and this is told the seconds
    /// of each and how many consecutive ones a thread would take at a time: for models of machines with more cores.
    /// </summary>
    public Action<double[], int>? OnJob { get => _pool.OnJob; set => _pool.OnJob = value; }

    /// <summary>Which convolution algorithms may be chosen.</summary>
    public ConvolutionAlgorithm Convolution { get; }

    /// <inheritdoc/>
    public override string Name => "cpu";

    /// <inheritdoc/>
    public override string Description =>
        $"{_set switch { InstructionSet.Avx512 => "AVX-512", InstructionSet.Avx2 => "AVX2", _ => "portable 128-bit" }} kernels, "
            + $"{Threads} thread{(Threads == 1 ? "" : "s")}, blocks for {_l2 >> 10} KiB of L2, "
            + $"{(Convolution == ConvolutionAlgorithm.Auto ? "Winograd and direct" : "direct")} convolution";

    /// <inheritdoc/>
    public override IKernels Kernels => _kernels;

    /// <inheritdoc/>
    public override DeviceBuffer Allocate(long words)
    {
        RequireAlive();
        MachineMemory.Require(words * sizeof(float), MemoryLimit - _words * sizeof(float));
        var buffer = CpuBuffer.Allocate(words);
        _buffers.Add(buffer);
        _words += words;
        return buffer;
    }

    /// <inheritdoc/>
    public override void Free(DeviceBuffer buffer)
    {
        if (!_buffers.Remove((CpuBuffer)buffer)) return;
        _words -= buffer.Length;
        ((CpuBuffer)buffer).Free();
    }

    /// <inheritdoc/>
    public override void Upload(ReadOnlySpan<float> source, DeviceBuffer destination) => source.CopyTo(Span(destination, source.Length));

    /// <inheritdoc/>
    public override void Upload(ReadOnlySpan<int> source, DeviceBuffer destination) =>
        source.CopyTo(new Span<int>(destination.Ints(), checked((int)destination.Length)));

    /// <inheritdoc/>
    public override void Download(DeviceBuffer source, Span<float> destination) => Span(source, destination.Length).CopyTo(destination);

    /// <inheritdoc/>
    public override void Copy(DeviceBuffer source, DeviceBuffer destination)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(source.Length, destination.Length);
        Buffer.MemoryCopy(source.Floats(), destination.Floats(), destination.Length * sizeof(float), source.Length * sizeof(float));
    }

    /// <inheritdoc/>
    public override void UploadBlocked(ReadOnlySpan<float> source, Shape shape, DeviceBuffer destination)
    {
        float* to = destination.Floats();
        for (int plane = 0; plane < shape.N * shape.C; plane++)
        {
            float* target = to + BlockedPlane(shape, plane);
            for (int i = 0; i < shape.Area; i++) target[i * Blocks.Size] = source[plane * shape.Area + i];
        }
    }

    /// <inheritdoc/>
    public override void DownloadBlocked(DeviceBuffer source, Shape shape, Span<float> destination)
    {
        float* from = source.Floats();
        for (int plane = 0; plane < shape.N * shape.C; plane++)
        {
            float* at = from + BlockedPlane(shape, plane);
            for (int i = 0; i < shape.Area; i++) destination[plane * shape.Area + i] = at[i * Blocks.Size];
        }
    }

    /// <inheritdoc/>
    public override long StorageLength(Shape shape, Layout layout) => layout == Layout.Plain ? shape.Count : Blocks.Length(shape);

    /// <inheritdoc/>
    public override int ChannelLength(int channels) => Blocks.Count(channels) * Blocks.Size;

    /// <inheritdoc/>
    public override void Synchronize()
    {
    }

    /// <inheritdoc/>
    public override double QueuePeakFma() => MultiplyAdds.Run(_pool, _set);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (!disposing) return;
        _pool.Dispose();
        foreach (var buffer in _buffers) buffer.Free();
        _buffers.Clear();
    }

    /// <summary>The memory of a buffer of this device, in the layout of its tensor: for kernels of your own.</summary>
    public static Span<float> Values(DeviceBuffer buffer) => Span(buffer, checked((int)buffer.Length));

    private static Span<float> Span(DeviceBuffer buffer, int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, buffer.Length);
        return new Span<float>(buffer.Floats(), length);
    }

    private static long BlockedPlane(Shape s, int plane)
    {
        int n = plane / s.C, c = plane % s.C;
        return (((long)n * Blocks.Count(s.C) + c / Blocks.Size) * s.Area * Blocks.Size) + c % Blocks.Size;
    }
}
