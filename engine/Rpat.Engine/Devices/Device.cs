namespace Rpat.Engine.Devices;

/// <summary>
/// The whole boundary between the engine and a processor: allocate, upload, download, synchronise, capture, and a set of kernels. A device
/// owns all memory that it allocates and frees it when disposed. It serves one thread at a time: threads that share one take turns under a
/// lock, as <c>Predictor</c> does, or each has a device of its own.
/// </summary>
public abstract class Device : IDisposable
{
    private Arena? _arena;
    private int _busy;

    /// <summary>Short name, for instance <c>cpu</c>.</summary>
    public abstract string Name { get; }

    /// <summary>A one-line description: instruction set, threads, memory.</summary>
    public abstract string Description { get; }

    /// <summary>Every kernel of the engine's contract.</summary>
    public abstract IKernels Kernels { get; }

    /// <summary>
    /// Backward passes run so far: shows whether an attack that must not use gradients did, or whether a model's forward pass optimises.
    /// </summary>
    public long BackwardPasses { get; internal set; }

    /// <summary>Whether the device's memory has been freed: nothing on it can be used any more.</summary>
    public bool IsDisposed { get; private set; }

    /// <summary>The step arena that this device's tapes share, since only one of them runs at a time.</summary>
    /// <exception cref="ObjectDisposedException">The device is disposed.</exception>
    internal Arena Arena => IsDisposed ? throw Gone(Name) : _arena ??= new Arena(this);

    /// <summary>Whether <see cref="Capture"/> may succeed; false once the device's driver has refused.</summary>
    public virtual bool Captures => false;

    /// <summary>Raised with a message when the device deviates from the request.</summary>
    public event Action<string>? Noted;

    /// <summary>Whether activations and their gradients are rounded to bfloat16 as they are stored.</summary>
    public virtual bool RoundsActivations => false;

    /// <summary>Grows whenever memory moves that recorded work may use.</summary>
    internal virtual long Moves => Arena.Generation;

    /// <summary>Collects every tape that runs during the first run of a <see cref="GraphCapture"/>.</summary>
    internal List<ICapturedRun>? Runs { get; set; }

    /// <summary>Tapes only queue their kernels: a <see cref="GraphCapture"/> has already done the rest of the run.</summary>
    internal bool IsCapturing { get; set; }

    /// <summary>Marks the device as in use, until disposed.</summary>
    /// <exception cref="InvalidOperationException">A pass is running.</exception>
    internal Pass BeginPass() => Interlocked.Exchange(ref _busy, 1) == 0 ? new Pass(this) : throw new InvalidOperationException(
        "A pass runs on this device already: give each thread a device of its own or let them take turns, and run no tape in OnNode.");

    internal readonly struct Pass(Device device) : IDisposable
    {
        public void Dispose() => Volatile.Write(ref device._busy, 0);
    }

    /// <summary>Allocates zeroed persistent memory.</summary>
    /// <exception cref="OutOfMemoryException">Not enough device memory.</exception>
    public abstract DeviceBuffer Allocate(long words);

    /// <summary>Frees memory before the device is disposed.</summary>
    public abstract void Free(DeviceBuffer buffer);

    /// <summary>Copies floats to the device.</summary>
    public abstract void Upload(ReadOnlySpan<float> source, DeviceBuffer destination);

    /// <summary>Copies integers to the device.</summary>
    public abstract void Upload(ReadOnlySpan<int> source, DeviceBuffer destination);

    /// <summary>Copies floats from the device, after all work queued before.</summary>
    public abstract void Download(DeviceBuffer source, Span<float> destination);

    /// <summary>Copies a range of device memory to another of the same length.</summary>
    public abstract void Copy(DeviceBuffer source, DeviceBuffer destination);

    /// <summary>Copies NCHW values into the activation layout.</summary>
    public abstract void UploadBlocked(ReadOnlySpan<float> source, Shape shape, DeviceBuffer destination);

    /// <summary>Copies activations out as NCHW values.</summary>
    public abstract void DownloadBlocked(DeviceBuffer source, Shape shape, Span<float> destination);

    /// <summary>Words that a tensor takes in a layout.</summary>
    public abstract long StorageLength(Shape shape, Layout layout);

    /// <summary>Words that a vector with one value per channel takes.</summary>
    public abstract int ChannelLength(int channels);

    /// <summary>Waits until all queued work is done.</summary>
    public abstract void Synchronize();

    /// <summary>
    /// Queues register-only multiply-adds on all cores, in the precision of its convolutions: the peak that kernels are compared with.
    /// </summary>
    /// <returns>Operations queued, a multiply-add counted as two.</returns>
    public abstract double QueuePeakFma();

    /// <summary>
    /// Records the kernels and device-side copies that <paramref name="queue"/> queues, without running them. Null when the device
    /// does not capture, or when the work allocates, waits, or copies from or to the host; <see cref="Noted"/> reports why.
    /// </summary>
    public virtual CapturedWork? Capture(Action queue) => null;

    /// <summary>Raises <see cref="Noted"/>.</summary>
    protected void Note(string sentence) => Noted?.Invoke(sentence);

    /// <summary>Frees all of the device's memory.</summary>
    public void Dispose()
    {
        if (IsDisposed) return;
        IsDisposed = true;
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees all of the device's memory.</summary>
    protected abstract void Dispose(bool disposing);

    /// <exception cref="ObjectDisposedException">The device is disposed.</exception>
    protected void RequireAlive()
    {
        if (IsDisposed) throw Gone(Name);
    }

    /// <summary>What everything on a device that is disposed throws.</summary>
    internal static ObjectDisposedException Gone(string name) => new(name,
        "The device is disposed and its memory freed: dispose of it after the last use of its networks, tensors and tapes.");
}

/// <summary>Which convolution algorithms the CPU backend may choose from.</summary>
public enum ConvolutionAlgorithm
{
    /// <summary>Winograd where it is faster and exact enough, else direct.</summary>
    Auto,

    /// <summary>Direct convolution only.</summary>
    Direct,
}
