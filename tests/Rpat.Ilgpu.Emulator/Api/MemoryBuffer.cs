using Rpat.Ilgpu.Emulator.Execution;
using Rpat.Ilgpu.Emulator.Ptx;

namespace ILGPU.Runtime;

/// <summary>Memory of a device.</summary>
public abstract unsafe class MemoryBuffer : IDisposable
{
    private MemoryBlock* _block;

    private protected MemoryBuffer(Accelerator accelerator, long length, int elementSize)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        (Accelerator, Length, ElementSize) = (accelerator, length, elementSize);
        _block = MemoryBlock.Allocate(length * elementSize, MemoryKind.Global);
        GlobalMemory.Add(_block);
        accelerator.Add(this);
    }

    /// <summary>Its accelerator.</summary>
    public Accelerator Accelerator { get; }

    /// <summary>Elements.</summary>
    public long Length { get; }

    /// <summary>Bytes an element.</summary>
    public int ElementSize { get; }

    /// <summary>Bytes in all.</summary>
    public long LengthInBytes => Length * ElementSize;

    /// <summary>The address.</summary>
    public IntPtr NativePtr => (IntPtr)Block->Data;

    /// <summary>Whether it has been freed.</summary>
    public bool IsDisposed => _block == null;

    internal MemoryBlock* Block => _block == null ? throw new ObjectDisposedException(nameof(MemoryBuffer)) : _block;

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_block == null) return;
        Accelerator.Remove(this);
        GlobalMemory.Remove(_block);
        MemoryBlock.Free(_block);
        _block = null;
        GC.SuppressFinalize(this);
    }
}

/// <summary>Memory with a view of all of it.</summary>
public class MemoryBuffer<TView> : MemoryBuffer
    where TView : struct, IArrayView
{
    private protected MemoryBuffer(Accelerator accelerator, long length, int elementSize) : base(accelerator, length, elementSize)
    {
    }

    /// <summary>All of it.</summary>
    public TView View { get; private protected set; }

    /// <summary>All of it.</summary>
    public static implicit operator TView(MemoryBuffer<TView> buffer) => buffer.View;
}

/// <summary>One-dimensional memory.</summary>
public class MemoryBuffer1D<T, TStride> : MemoryBuffer<ArrayView1D<T, TStride>>
    where T : unmanaged
    where TStride : struct, IStride1D
{
    internal unsafe MemoryBuffer1D(Accelerator accelerator, long length) : base(accelerator, length, sizeof(T)) =>
        View = new ArrayView1D<T, TStride>(new ArrayView<T>(this, 0, length), length, default);

    /// <summary>The extent.</summary>
    public LongIndex1D Extent => View.Extent;

    /// <summary>The extent, as a 32-bit number.</summary>
    public Index1D IntExtent => View.IntExtent;
}

/// <summary>Memory of the host that the device copies from and to directly.</summary>
public abstract unsafe class PageLockedArray<T> : IDisposable
    where T : unmanaged
{
    private MemoryBlock* _block;
    private readonly long _length;

    private protected PageLockedArray(long length)
    {
        _length = length;
        _block = MemoryBlock.Allocate(length * sizeof(T), MemoryKind.Host);
        Span.Clear();
    }

    /// <summary>The memory.</summary>
    public abstract Span<T> Span { get; }

    /// <summary>The memory as a view, for copies.</summary>
    public ArrayView<T> ArrayView => new(_block, 0, _length);

    /// <summary>Elements.</summary>
    public long Length => _length;

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_block != null) MemoryBlock.Free(_block);
        _block = null;
        GC.SuppressFinalize(this);
    }
}

/// <summary>One-dimensional memory of the host.</summary>
public sealed class PageLockedArray1D<T> : PageLockedArray<T>
    where T : unmanaged
{
    internal PageLockedArray1D(long length) : base(length)
    {
    }

    /// <inheritdoc/>
    public override unsafe Span<T> Span => new(ArrayView.Address, checked((int)Length));

    /// <summary>The extent.</summary>
    public LongIndex1D Extent => Length;

    /// <summary>One element.</summary>
    public ref T this[int index] => ref Span[index];

    /// <summary>One element.</summary>
    public ref T this[long index] => ref Span[checked((int)index)];
}

/// <summary>Allocates memory of the host.</summary>
public static partial class PageLockedArrayExtensions
{
    /// <summary>Allocates it zeroed.</summary>
    public static PageLockedArray1D<T> AllocatePageLocked1D<T>(this Accelerator accelerator, LongIndex1D extent)
        where T : unmanaged => new(extent.X);

    /// <summary>Allocates it.</summary>
    public static PageLockedArray1D<T> AllocatePageLocked1D<T>(this Accelerator accelerator, LongIndex1D extent, bool uninitialized)
        where T : unmanaged => new(extent.X);
}
