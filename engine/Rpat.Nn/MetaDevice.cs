namespace Rpat.Nn;

/// <summary>
/// A device without memory and kernels: networks on it have names and shapes, but no values. A network of any size is made at once, to
/// compare it with a file or to count its parameters. Reading a value or recording a tape throws.
/// </summary>
public sealed class MetaDevice : Device
{
    /// <inheritdoc/>
    public override string Name => "meta";

    /// <inheritdoc/>
    public override string Description => "shapes only";

    /// <inheritdoc/>
    public override IKernels Kernels => throw NoValues();

    /// <inheritdoc/>
    public override DeviceBuffer Allocate(long words) => new Range(words);

    /// <inheritdoc/>
    public override void Free(DeviceBuffer buffer)
    {
    }

    /// <inheritdoc/>
    public override void Upload(ReadOnlySpan<float> source, DeviceBuffer destination)
    {
    }

    /// <inheritdoc/>
    public override void Upload(ReadOnlySpan<int> source, DeviceBuffer destination)
    {
    }

    /// <inheritdoc/>
    public override void Download(DeviceBuffer source, Span<float> destination) => throw NoValues();

    /// <inheritdoc/>
    public override void Copy(DeviceBuffer source, DeviceBuffer destination)
    {
    }

    /// <inheritdoc/>
    public override void UploadBlocked(ReadOnlySpan<float> source, Shape shape, DeviceBuffer destination)
    {
    }

    /// <inheritdoc/>
    public override void DownloadBlocked(DeviceBuffer source, Shape shape, Span<float> destination) => throw NoValues();

    /// <inheritdoc/>
    public override long StorageLength(Shape shape, Layout layout) => shape.Count;

    /// <inheritdoc/>
    public override int ChannelLength(int channels) => channels;

    /// <inheritdoc/>
    public override void Synchronize()
    {
    }

    /// <inheritdoc/>
    public override double QueuePeakFma() => throw NoValues();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
    }

    private static InvalidOperationException NoValues() =>
        new("A meta device has shapes only: build the network on Device.Cpu or a GPU.");

    private sealed class Range(long length) : DeviceBuffer
    {
        public override long Length => length;

        public override DeviceBuffer View(long offset, long count) => new Range(count);
    }
}
