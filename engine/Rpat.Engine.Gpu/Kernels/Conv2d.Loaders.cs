using ILGPU;

namespace Rpat.Engine.Gpu.Kernels;

/// <summary>
/// The left factor of the forward pass and the input gradient, <c>[pixels][taps × channels]</c>, gathered from the source. The reduction
/// has no gaps between taps; behind its end everything is zero.
/// </summary>
internal readonly struct PixelLoader<S>(Gather gather, Source<S> source, int steps, int stepsOfSplit) where S : struct, IStorage
{
    private readonly Source<S> _source = source;

    /// <summary>The same for another name of the storage.</summary>
    public PixelLoader<T> As<T>() where T : struct, IStorage => new(gather, _source.As<T>(), steps, stepsOfSplit);

    /// <summary>Steps of this group's split of the reduction.</summary>
    public int Steps
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            int left = steps - FirstStep;
            return left < stepsOfSplit ? left : stepsOfSplit;
        }
    }

    /// <summary>First step of this group's split.</summary>
    public int FirstStep
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Grid.IdxZ * stepsOfSplit;
    }

    /// <summary>Where the split starts for one of the group's pixels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public SourceCursor Start(int row, int unitsOfStep) => gather.Start(Grid.IdxX * GemmTile.Rows + row, FirstStep * unitsOfStep);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public SourceCursor Next(SourceCursor at) => gather.Next(at);

    /// <summary>Whether the cursor is in an image.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Has(SourceCursor at) => gather.Has(at);

    /// <summary>The cursor's four channels as seen through the view, if it counts in quads.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V4 Quad(SourceCursor at) => gather.Has(at) && gather.HasTap(at) ? _source.Load(at.Index, at.Unit) : new V4(0);

    /// <summary>Four channels as stored.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V4 Stored(int index) => _source.Data.Load(index);

    /// <summary>Sixteen words as stored.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Line StoredLine(int index) => _source.Data.LoadLine(index);

    /// <summary>Where sixteen words are; nowhere in the padding.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong LineAddress(int index) => _source.Data.Address + (ulong)(64L * index);

    /// <summary>The source's view.</summary>
    public Map Map
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => _source.Map;
    }

    /// <summary>Where the group's results go in the output: the first quad of a row, or −1 if there is no such pixel.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int PlaceOf(int row, in Target<S> target)
    {
        int pixel = Grid.IdxX * GemmTile.Rows + row;
        return pixel < gather.Pixels ? target.RowOf(Grid.IdxZ, pixel) : -1;
    }
}

/// <summary>
/// Factors of the weight gradient, both with the reduction over pixels outermost. A: <c>[pixels][taps × channels]</c>, gathered from the
/// input; B: <c>[pixels][filters]</c>, the output gradient.
/// </summary>
internal readonly struct WeightLoader<S>(
    Gather gather, Source<S> source, Quads<S> dy, int unitsOfTap, int columns, int pixels, int pixelsOfSplit) where S : struct, IStorage
{
    private readonly Source<S> _source = source;
    private readonly Quads<S> _dy = dy;

    /// <summary>The same for another name of the storage.</summary>
    public WeightLoader<T> As<T>() where T : struct, IStorage =>
        new(gather, _source.As<T>(), _dy.As<T>(), unitsOfTap, columns, pixels, pixelsOfSplit);

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

    /// <summary>Quads of a pixel of the output gradient.</summary>
    public int Columns
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => columns;
    }

    /// <summary>A quad of the group's columns; one that does not exist, whose sums are never stored, reads another.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Column(int quad)
    {
        int column = Grid.IdxY * GemmTile.ColumnQuads + quad;
        return column < columns ? column : columns - 1;
    }

    /// <summary>Quads of a pixel of the input.</summary>
    public int Quads
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => gather.SourceQuads;
    }

    /// <summary>Units of a pixel of the input.</summary>
    public int Units
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => unitsOfTap;
    }

    /// <summary>A unit of rows, in whose order taps follow each other.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public RowCursor RowAt(int unit) => gather.RowAt(unit, unitsOfTap);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public PixelCursor PixelAt(int pixel) => gather.PixelAt(pixel);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public PixelCursor Advance(PixelCursor at) => gather.Advance(at);

    /// <summary>The window of a pixel, which reads padding if it does not count.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Window WindowOf(PixelCursor at, bool counts) => gather.WindowOf(at, counts);

    /// <summary>Index of the input pixel that a row's tap reads, or −1 in the padding.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int SourcePixel(Window window, RowCursor row) => gather.SourcePixel(window, row);

    /// <summary>Four channels as stored.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V4 Stored(int index) => _source.Data.Load(index);

    /// <summary>Four channels as seen through the view.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V4 Seen(int index, int quad) => _source.Load(index, quad);

    /// <summary>Four words as stored.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V4 StoredWords(int index) => _source.Data.LoadWords(index);

    /// <summary>Where four channels are.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong StoredAddress(int index) => _source.Data.AddressOf(index);

    /// <summary>The input's view.</summary>
    public Map Map
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => _source.Map;
    }

    /// <summary>Four columns of B.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V4 Gradients(int index) => _dy.Load(index);

    /// <summary>Where four columns of B are.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong GradientAddress(int index) => _dy.AddressOf(index);
}
