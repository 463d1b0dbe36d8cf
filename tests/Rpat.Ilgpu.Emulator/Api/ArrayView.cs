using System.Runtime.CompilerServices;
using ILGPU.Runtime;
using Rpat.Ilgpu.Emulator;
using Rpat.Ilgpu.Emulator.Execution;

namespace ILGPU;

/// <summary>A view of memory of the device.</summary>
public interface IArrayView
{
    /// <summary>Whether it points at memory.</summary>
    bool IsValid { get; }

    /// <summary>Elements.</summary>
    long Length { get; }

    /// <summary>Bytes an element.</summary>
    int ElementSize { get; }

    /// <summary>Bytes in all.</summary>
    long LengthInBytes { get; }
}

/// <summary>A view without gaps.</summary>
public interface IContiguousArrayView : IArrayView
{
    /// <summary>The same memory as bytes.</summary>
    ArrayView<byte> AsRawArrayView();
}

/// <summary>A view without gaps of elements of one type.</summary>
public interface IContiguousArrayView<T> : IContiguousArrayView
    where T : unmanaged;

/// <summary>
/// A stretch of device memory. Every access is checked: range, alignment and, in shared memory, races. The struct holds native
/// pointers alone, so that suspended kernels can keep it in native memory.
/// </summary>
public readonly unsafe struct ArrayView<T> : IContiguousArrayView<T>
    where T : unmanaged
{
    /// <summary>A view of nothing.</summary>
    public static readonly ArrayView<T> Empty;

    private readonly MemoryBlock* _block;
    private readonly long _offset; // bytes from the start of the block

    internal ArrayView(MemoryBlock* block, long offset, long length)
    {
        if ((ulong)(offset + length * sizeof(T)) > (ulong)block->Bytes || offset < 0 || length < 0)
            throw Fault.Range($"a view of {length} elements at byte {offset}", block);
        _block = block;
        _offset = offset;
        Length = length;
    }

    /// <summary>Elements of a memory buffer, from one on.</summary>
    public ArrayView(MemoryBuffer source, long index, long length) : this(source.Block, index * sizeof(T), length)
    {
    }

    /// <inheritdoc/>
    public readonly bool IsValid => _block != null;

    /// <inheritdoc/>
    public readonly long Length { get; }

    /// <summary>Elements, as a 32-bit number.</summary>
    public readonly int IntLength => checked((int)Length);

    /// <summary>The extent.</summary>
    public readonly LongIndex1D Extent => Length;

    /// <summary>The extent, as a 32-bit number.</summary>
    public readonly Index1D IntExtent => IntLength;

    /// <inheritdoc/>
    public readonly long LengthInBytes => Length * sizeof(T);

    readonly int IArrayView.ElementSize => sizeof(T);

    internal readonly MemoryBlock* Block => _block;

    internal readonly byte* Address => _block == null ? null : _block->Data + _offset;

    /// <summary>One element.</summary>
    public readonly ref T this[Index1D index] => ref At(index.X);

    /// <summary>One element.</summary>
    public readonly ref T this[LongIndex1D index] => ref At(index.X);

    /// <summary>One element.</summary>
    public readonly ref T this[int index] => ref At(index);

    /// <summary>One element.</summary>
    public readonly ref T this[long index] => ref At(index);

    /// <summary>From a dense one-dimensional view.</summary>
    public static implicit operator ArrayView<T>(ArrayView1D<T, Stride1D.Dense> arrayView) => arrayView.BaseView;

    /// <summary>To a dense one-dimensional view.</summary>
    public static implicit operator ArrayView1D<T, Stride1D.Dense>(ArrayView<T> view) => new(view, view.Length, default);

    /// <summary>Everything from an element on.</summary>
    public readonly ArrayView<T> SubView(long index) => SubView(index, Length - index);

    /// <summary>A part.</summary>
    public readonly ArrayView<T> SubView(int index, int subViewLength) => SubView((long)index, subViewLength);

    /// <summary>A part.</summary>
    public readonly ArrayView<T> SubView(long index, long subViewLength)
    {
        if (index < 0 || subViewLength < 0 || index + subViewLength > Length)
            throw Fault.Range($"a part of {subViewLength} elements at element {index} of a view of {Length}", _block);
        return subViewLength == 0 && _block == null ? default : new ArrayView<T>(_block, _offset + index * sizeof(T), subViewLength);
    }

    /// <summary>The same memory as elements of another type; a rest that does not fill an element is left out.</summary>
    public readonly ArrayView<TOther> Cast<TOther>()
        where TOther : unmanaged =>
        _block == null ? default : new ArrayView<TOther>(_block, _offset, LengthInBytes / sizeof(TOther));

    /// <inheritdoc/>
    public readonly ArrayView<byte> AsRawArrayView() => Cast<byte>();

    /// <inheritdoc/>
    public readonly override string ToString() => $"{_offset / sizeof(T)} [{Length}]";

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly ref T At(long index)
    {
        if ((ulong)index >= (ulong)Length) throw Fault.Range($"element {index} of a view of {Length}", _block);
        byte* address = _block->Data + _offset + index * sizeof(T);
        if (((ulong)address & (ulong)(Alignment - 1)) != 0)
            throw Fault.Misaligned($"element {index} of {typeof(T).Name}, {sizeof(T)} bytes, needs an address that divides by {Alignment}", _block);
        if (_block->Kind == MemoryKind.Shared) Lane.Current.Group.Shared.Touch(address, sizeof(T));
        else if (_block->Kind == MemoryKind.Host) throw Fault.Range("memory of the host", _block);
        return ref *(T*)address;
    }

    // A GPU loads a struct of 8 or 16 bytes, or of several times that, with vector instructions that need their own alignment.
    private static int Alignment
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Math.Min(16, sizeof(T) & -sizeof(T));
    }
}
