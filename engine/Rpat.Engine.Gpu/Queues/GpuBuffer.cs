using ILGPU;
using ILGPU.Runtime;

namespace Rpat.Engine.Gpu.Queues;

/// <summary>A range of GPU memory.</summary>
internal sealed class GpuBuffer(MemoryBuffer1D<float, Stride1D.Dense> block, long offset, long length) : DeviceBuffer
{
    private const int QuadWords = 4;

    private readonly ArrayView<float> _floats = block.View.BaseView.SubView(offset, length);

    /// <summary>The values.</summary>
    /// <exception cref="ObjectDisposedException">The memory was freed.</exception>
    public ArrayView<float> Floats => block.IsDisposed ? throw Rpat.Engine.Devices.Device.Gone("cuda") : _floats;

    public override long Length => length;

    /// <summary>The allocation that contains this range.</summary>
    public MemoryBuffer1D<float, Stride1D.Dense> Block => block;

    public override DeviceBuffer View(long from, long count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(Math.Min(from, count));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(from + count, length);
        return new GpuBuffer(block, offset + from, count);
    }

    /// <summary>The first <paramref name="count"/> values, to be read in quads.</summary>
    public Flat Flat(long count) => new(Floats.SubView(0, count), IsAligned ? 1 : 0);

    /// <summary>A vector with one value per channel.</summary>
    /// <exception cref="InvalidOperationException">The buffer does not start at a 16-byte boundary.</exception>
    public ArrayView<V4> Quads()
    {
        RequireAligned();
        return Floats.Cast<V4>();
    }

    /// <summary>An activation.</summary>
    /// <exception cref="InvalidOperationException">The buffer does not start at a 16-byte boundary.</exception>
    public Quads<S> Stored<S>() where S : struct, IStorage
    {
        RequireAligned();
        return new Quads<S>(Floats);
    }

    /// <summary>Whether it starts at a 16-byte boundary.</summary>
    public bool IsAligned => offset % QuadWords == 0;

    private void RequireAligned()
    {
        if (!IsAligned)
            throw new InvalidOperationException(
                $"A GPU buffer at word {offset} cannot be read in quads: use a buffer that begins at a multiple of {QuadWords} words.");
    }
}

internal static class GpuBufferExtensions
{
    public static ArrayView<float> Floats(this DeviceBuffer buffer) => ((GpuBuffer)buffer).Floats;

    public static bool IsAligned(this DeviceBuffer buffer) => ((GpuBuffer)buffer).IsAligned;

    public static ArrayView<int> Ints(this DeviceBuffer buffer) => ((GpuBuffer)buffer).Floats.Cast<int>();

    /// <summary>The floats, or an empty view.</summary>
    public static ArrayView<float> FloatsOrNone(this DeviceBuffer? buffer) => buffer is null ? default : ((GpuBuffer)buffer).Floats;

    /// <summary>The integers, or an empty view.</summary>
    public static ArrayView<int> IntsOrNone(this DeviceBuffer? buffer) => buffer is null ? default : buffer.Ints();

    public static Flat Flat(this DeviceBuffer buffer, long count) => ((GpuBuffer)buffer).Flat(count);

    public static ArrayView<V4> Quads(this DeviceBuffer buffer) => ((GpuBuffer)buffer).Quads();

    /// <summary>The quads, or an empty view.</summary>
    public static ArrayView<V4> QuadsOrNone(this DeviceBuffer? buffer) => buffer is null ? default : ((GpuBuffer)buffer).Quads();

    public static Quads<S> Stored<S>(this DeviceBuffer buffer) where S : struct, IStorage => ((GpuBuffer)buffer).Stored<S>();

    /// <summary>The activation, or an empty one.</summary>
    public static Quads<S> StoredOrNone<S>(this DeviceBuffer? buffer) where S : struct, IStorage =>
        buffer is null ? default : ((GpuBuffer)buffer).Stored<S>();

    /// <summary>The map of an operand.</summary>
    public static Map Map(this in Operand operand) => new(operand.Scale.QuadsOrNone(), operand.Shift.QuadsOrNone(), operand.Relu);

    /// <summary>An operand that is an activation; an operand without data gives a source that is never read.</summary>
    public static Source<S> Source<S>(this in Operand operand) where S : struct, IStorage =>
        new(((DeviceBuffer?)operand.Data).StoredOrNone<S>(), operand.Map());
}
