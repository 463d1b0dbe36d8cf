using ILGPU;
using ILGPU.Runtime;
using Rpat.Engine.Gpu.Graphs;

namespace Rpat.Engine.Gpu.Kernels;

/// <summary>
/// Pinned host memory for uploads. Uploads take consecutive ranges of it and return at once; the host waits only when the end is reached,
/// for the copies that still read it.
/// </summary>
/// <param name="staged">Called with the address of the pinned memory, to check that it is page-locked.</param>
internal sealed class UploadBuffers(
    Accelerator accelerator, AcceleratorStream stream, IWorkQueue queue, CaptureGuard capture, Action<nint>? staged = null)
{
    private const int Uploads = 4; // room for this many of the largest
    private const int Piece = 1 << 22; // words, 16 MiB

    private PageLockedArray1D<int>? _pinned;
    private int _next;

    /// <summary>Queues a copy; the source may change as soon as this returns.</summary>
    public void Upload<T>(ReadOnlySpan<T> source, ArrayView<T> destination) where T : unmanaged
    {
        ReadOnlySpan<int> words = MemoryMarshal.Cast<T, int>(source);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(words.Length, destination.Length, nameof(source)); // ILGPU would end the process
        if (words.IsEmpty) return;
        capture.Forbid("copies from the host");
        for (long done = 0; done < words.Length; done += Piece)
        {
            var piece = words.Slice((int)done, (int)Math.Min(Piece, words.Length - done));
            int at = Take(piece.Length);
            piece.CopyTo(_pinned!.Span[at..]);
            queue.Copy(_pinned.ArrayView.SubView(at, piece.Length), destination.Cast<int>().SubView(done, piece.Length));
        }
    }

    public void Free()
    {
        _pinned?.Dispose();
        _pinned = null;
    }

    private PageLockedArray1D<int> Lock(long words)
    {
        try
        {
            return accelerator.AllocatePageLocked1D<int>(words);
        }
        catch (AcceleratorException e)
        {
            throw new DeviceUnavailableException(
                $"{accelerator.Name} cannot lock {words * sizeof(int) >> 20} MiB of the host's memory for uploads, since its driver "
                    + $"answers '{e.Message}': free memory, or choose a smaller batch.", e);
        }
    }

    private int Take(int words)
    {
        if (_pinned is null || _next + words > _pinned.Length)
        {
            stream.Synchronize();
            _next = 0;
        }
        if (_pinned is null || words > _pinned.Length)
        {
            Free();
            _pinned = Lock((long)Uploads * words);
            staged?.Invoke(_pinned.ArrayView.LoadEffectiveAddressAsPtr());
        }
        int at = _next;
        _next += words;
        return at;
    }
}
