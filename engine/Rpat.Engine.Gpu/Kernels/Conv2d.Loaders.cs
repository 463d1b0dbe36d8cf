using ILGPU;

namespace Rpat.Engine.Gpu.Kernels;

/// <summary>
/// Factors of the forward pass and the input gradient. A: <c>[pixels][taps × channels]</c>, gathered from the source. B:
/// <c>[taps × channels][outputs]</c>, the packed filters. Positions outside either are zero.
/// </summary>
internal readonly struct PixelLoader(Gather gather, Source source, ArrayView<V4> filters, int columns, int stepsOfSplit, int chunks)
{
    /// <summary>Steps of this group's split of the reduction.</summary>
    public int Steps
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            int left = gather.Taps * chunks - Grid.IdxZ * stepsOfSplit;
            return left < stepsOfSplit ? left : stepsOfSplit;
        }
    }

    /// <summary>Where the group's split starts.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TapCursor Start() => gather.Start(Grid.IdxZ * stepsOfSplit, chunks);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TapCursor Next(TapCursor at) => gather.Next(at, chunks);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Window WindowOf(int pixel) => gather.WindowOf(pixel);

    /// <summary>Whether a pixel lies in the output.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool HasPixel(int pixel) => pixel < gather.Pixels;

    /// <summary>First quad of the source pixel under a tap, or −1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int PixelIndex(Window window, TapCursor at) => gather.SourceIndex(window, at.Y, at.X);

    /// <summary>Four channels of A: a quad of the pixel that starts at <paramref name="index"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V4 Channels(int index, int quad) =>
        index >= 0 && quad < gather.QuadsOfPixel ? source.Load(index + quad, quad) : new V4(0);

    /// <summary>Four columns of B in a row of the cursor's tap.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V4 Filters(TapCursor at, int row, int quad) => gather.Has(at) && row < gather.SourceRows && quad < columns
        ? filters[(gather.FilterTap(at) * gather.SourceRows + row) * columns + quad]
        : new V4(0);

    /// <summary>Index of an output's filter line at the cursor's tap and chunk, or −1 if there is none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Line(TapCursor at, int output) =>
        gather.Has(at) && output < 4 * columns ? (gather.FilterTap(at) * chunks + at.Chunk) * (4 * columns) + output : -1;
}

/// <summary>
/// Factors of the weight gradient, both with the reduction over pixels outermost. A: <c>[pixels][taps × channels]</c>, gathered from the
/// input; B: <c>[pixels][filters]</c>, the output gradient.
/// </summary>
internal readonly struct WeightLoader(Gather gather, Source source, ArrayView<V4> dy, int columns, int pixels, int pixelsOfSplit)
{
    /// <summary>First pixel of this group's split.</summary>
    public int First
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Grid.IdxZ * pixelsOfSplit;
    }

    /// <summary>End of the group's split, exclusive.</summary>
    public int End
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            int end = First + pixelsOfSplit;
            return end < pixels ? end : pixels;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TapCursor TapOfRow(int rowQuad) => gather.TapOfRow(rowQuad);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public PixelCursor PixelAt(int pixel) => gather.PixelAt(pixel);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public PixelCursor Advance(PixelCursor at, int by) => gather.Advance(at, by);

    /// <summary>Four rows of A at a pixel: the channels under a tap.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V4 Channels(PixelCursor pixel, TapCursor tap)
    {
        int index = gather.Has(tap) ? gather.SourceIndex(pixel, tap) : -1;
        return index >= 0 ? source.Load(index + tap.Chunk, tap.Chunk) : new V4(0);
    }

    /// <summary>Four columns of B at a pixel.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V4 Gradients(int pixel, int quad) => pixel < End && quad < columns ? dy[pixel * columns + quad] : new V4(0);
}
