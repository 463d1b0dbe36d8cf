namespace ILGPU.Runtime;

/// <summary>A one-dimensional view with a stride.</summary>
public readonly partial struct ArrayView1D<T, TStride>(ArrayView<T> baseView, LongIndex1D extent, TStride stride) : IContiguousArrayView<T>
    where T : unmanaged
    where TStride : struct, IStride1D
{
    /// <summary>The memory below.</summary>
    public ArrayView<T> BaseView { get; } = baseView;

    /// <summary>The extent.</summary>
    public LongIndex1D Extent { get; } = extent;

    /// <summary>The extent, as a 32-bit number.</summary>
    public readonly Index1D IntExtent => Extent.ToIntIndex();

    /// <summary>The stride.</summary>
    public TStride Stride { get; } = stride;

    /// <inheritdoc/>
    public readonly bool IsValid => BaseView.IsValid;

    /// <inheritdoc/>
    public readonly long Length => Extent.X;

    /// <summary>Elements, as a 32-bit number.</summary>
    public readonly int IntLength => checked((int)Length);

    /// <inheritdoc/>
    public readonly long LengthInBytes => BaseView.LengthInBytes;

    readonly int IArrayView.ElementSize => ((IArrayView)BaseView).ElementSize;

    /// <summary>One element.</summary>
    public readonly ref T this[Index1D index] => ref BaseView[(long)index.X * Stride.XStride];

    /// <summary>One element.</summary>
    public readonly ref T this[LongIndex1D index] => ref BaseView[index.X * Stride.XStride];

    /// <summary>The same memory without a stride.</summary>
    public readonly ArrayView<T> AsContiguous() => BaseView;

    readonly ArrayView<byte> IContiguousArrayView.AsRawArrayView() => BaseView.AsRawArrayView();

    /// <summary>A part.</summary>
    public readonly ArrayView1D<T, TStride> SubView(Index1D index, Index1D extent) => SubView((LongIndex1D)index, extent);

    /// <summary>A part.</summary>
    public readonly ArrayView1D<T, TStride> SubView(LongIndex1D index, LongIndex1D extent) =>
        new(BaseView.SubView(index.X * Stride.XStride, extent.X * Stride.XStride), extent, Stride);

    /// <inheritdoc/>
    public readonly override string ToString() => BaseView.ToString();
}
