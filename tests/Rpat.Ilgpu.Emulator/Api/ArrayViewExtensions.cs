using System.Runtime.InteropServices;
using Rpat.Ilgpu.Emulator;
using Rpat.Ilgpu.Emulator.Execution;

namespace ILGPU.Runtime;

/// <summary>Copies, fills and alignment of views.</summary>
public static unsafe partial class ArrayViewExtensions
{
    /// <summary>The address of the first element.</summary>
    public static IntPtr LoadEffectiveAddressAsPtr<T>(this ArrayView<T> view)
        where T : unmanaged => (IntPtr)view.Address;

    /// <summary>The same view, promised to be aligned.</summary>
    public static ArrayView<T> AsAligned<T>(this ArrayView<T> view, int alignmentInBytes)
        where T : unmanaged => (nint)view.Address % alignmentInBytes == 0 ? view
            : throw Fault.Misaligned($"a view said to be aligned to {alignmentInBytes} bytes is not", view.Block);

    /// <summary>Splits a view at the first aligned element.</summary>
    public static (ArrayView<T> Prefix, ArrayView<T> Main) AlignTo<T>(this ArrayView<T> view, int alignmentInBytes)
        where T : unmanaged
    {
        long bytes = (alignmentInBytes - (nint)view.Address % alignmentInBytes) % alignmentInBytes;
        long skip = Math.Min(view.Length, (bytes + sizeof(T) - 1) / sizeof(T));
        return (view.SubView(0, skip), view.SubView(skip));
    }

    /// <summary>The same memory as a dense one-dimensional view.</summary>
    public static ArrayView1D<T, Stride1D.Dense> AsDense<T>(this ArrayView<T> view)
        where T : unmanaged => view;

    /// <summary>Fills with zeros.</summary>
    public static void MemSetToZero<TView>(this TView view)
        where TView : IContiguousArrayView => Bytes(view).Clear();

    /// <summary>Fills with zeros.</summary>
    public static void MemSetToZero<TView>(this TView view, AcceleratorStream stream)
        where TView : IContiguousArrayView => stream.Queue(() => Bytes(view).Clear());

    /// <summary>Fills with a byte.</summary>
    public static void MemSet<TView>(this TView view, AcceleratorStream stream, byte value)
        where TView : IContiguousArrayView => stream.Queue(() => Bytes(view).Fill(value));

    /// <summary>Copies on the device.</summary>
    public static void CopyTo<TView>(this TView source, in TView target)
        where TView : IContiguousArrayView => Bytes(source).CopyTo(Bytes(target));

    /// <summary>Copies on the device.</summary>
    public static void CopyTo<TView>(this TView source, AcceleratorStream stream, in TView target)
        where TView : IContiguousArrayView => Copy(stream, source, target);

    /// <summary>Copies on the device.</summary>
    public static void CopyFrom<TView>(this TView target, AcceleratorStream stream, in TView source)
        where TView : IContiguousArrayView => Copy(stream, source, target);

    /// <summary>Copies to the host.</summary>
    public static void CopyToCPU<T, TView>(this TView source, AcceleratorStream stream, ref T cpuData, long length)
        where TView : IContiguousArrayView<T>
        where T : unmanaged => source.CopyToCPU(stream, MemoryMarshal.CreateSpan(ref cpuData, checked((int)length)));

    /// <summary>Copies from the host.</summary>
    public static void CopyFromCPU<T, TView>(this TView target, AcceleratorStream stream, ref T cpuData, long length)
        where TView : IContiguousArrayView<T>
        where T : unmanaged => target.CopyFromCPU(stream, (ReadOnlySpan<T>)MemoryMarshal.CreateSpan(ref cpuData, checked((int)length)));

    /// <summary>Copies to the host.</summary>
    public static void CopyToCPU<T, TView>(this TView source, AcceleratorStream stream, in Span<T> span)
        where TView : IContiguousArrayView<T>
        where T : unmanaged
    {
        stream?.Accelerator.ForbidWhileRecording("copies from the device");
        Elements<T, TView>(source)[..span.Length].CopyTo(span);
    }

    /// <summary>Copies to the host.</summary>
    public static void CopyToCPU<T, TView>(this TView source, in Span<T> span)
        where TView : IContiguousArrayView<T>
        where T : unmanaged => Elements<T, TView>(source)[..span.Length].CopyTo(span);

    /// <summary>Copies from the host.</summary>
    public static void CopyFromCPU<T, TView>(this TView target, AcceleratorStream stream, in ReadOnlySpan<T> span)
        where TView : IContiguousArrayView<T>
        where T : unmanaged
    {
        stream?.Accelerator.ForbidWhileRecording("copies to the device");
        span.CopyTo(Elements<T, TView>(target));
    }

    /// <summary>Copies from the host.</summary>
    public static void CopyFromCPU<T, TView>(this TView target, in ReadOnlySpan<T> span)
        where TView : IContiguousArrayView<T>
        where T : unmanaged => span.CopyTo(Elements<T, TView>(target));

    /// <summary>Copies to the host.</summary>
    public static void CopyToCPU<T>(this ArrayView<T> view, T[] data)
        where T : unmanaged => view.CopyToCPU(view.Stream(), data.AsSpan());

    /// <summary>Copies to the host.</summary>
    public static void CopyToCPU<T>(this ArrayView<T> view, AcceleratorStream stream, T[] data)
        where T : unmanaged => view.CopyToCPU(stream, data.AsSpan());

    /// <summary>Copies from the host.</summary>
    public static void CopyFromCPU<T>(this ArrayView<T> view, T[] data)
        where T : unmanaged => view.CopyFromCPU(view.Stream(), (ReadOnlySpan<T>)data);

    /// <summary>Copies from the host.</summary>
    public static void CopyFromCPU<T>(this ArrayView<T> view, AcceleratorStream stream, T[] data)
        where T : unmanaged => view.CopyFromCPU(stream, (ReadOnlySpan<T>)data);

    /// <summary>Copies from page-locked memory.</summary>
    public static void CopyFromPageLockedAsync<T, TView>(this TView target, AcceleratorStream stream, PageLockedArray<T> pageLockedArray)
        where TView : IContiguousArrayView<T>
        where T : unmanaged => pageLockedArray.Span.CopyTo(Elements<T, TView>(target));

    /// <summary>Copies to page-locked memory.</summary>
    public static void CopyToPageLockedAsync<T, TView>(this TView source, AcceleratorStream stream, PageLockedArray<T> pageLockedArray)
        where TView : IContiguousArrayView<T>
        where T : unmanaged => Elements<T, TView>(source)[..pageLockedArray.Span.Length].CopyTo(pageLockedArray.Span);

    /// <summary>All elements, on the host.</summary>
    public static T[] GetAsArray<T>(this ArrayView<T> view)
        where T : unmanaged => Elements<T, ArrayView<T>>(view).ToArray();

    /// <summary>All elements, on the host.</summary>
    public static T[] GetAsArray<T>(this ArrayView<T> view, AcceleratorStream stream)
        where T : unmanaged => Elements<T, ArrayView<T>>(view).ToArray();

    private static AcceleratorStream Stream<T>(this ArrayView<T> view)
        where T : unmanaged => null!;

    /// <summary>Between memories of the device, or of the host that is page-locked; the latter has other values when a record is launched.</summary>
    private static void Copy<TView>(AcceleratorStream stream, TView source, TView target)
        where TView : IContiguousArrayView
    {
        if (IsHost(source) || IsHost(target)) stream.Accelerator.ForbidWhileRecording("copies page-locked memory");
        stream.Queue(() => Bytes(source).CopyTo(Bytes(target)));
    }

    private static bool IsHost<TView>(TView view)
        where TView : IContiguousArrayView
    {
        var block = view.AsRawArrayView().Block;
        return block != null && block->Kind == MemoryKind.Host;
    }

    private static Span<byte> Bytes<TView>(TView view)
        where TView : IContiguousArrayView
    {
        var raw = view.AsRawArrayView();
        return new Span<byte>(raw.Address, checked((int)raw.Length));
    }

    private static Span<T> Elements<T, TView>(TView view)
        where TView : IContiguousArrayView<T>
        where T : unmanaged => new(view.AsRawArrayView().Address, checked((int)view.Length));
}
