using ILGPU;

namespace Rpat.Engine.Gpu.Kernels;

/// <summary>
/// Which source pixel an output pixel and a tap read: y = i·step + t·direction + base, for rows and columns alike. Forward: step = stride,
/// direction 1, base −padding. Input gradient, for the input pixels of one stride phase (remainders modulo the stride): step 1, direction
/// −1, and only the taps that reach that phase. Kernels walk through both without a division: over taps and units of channels
/// (<see cref="Next"/>), and over output pixels (<see cref="Advance"/>).
/// </summary>
internal readonly struct Gather
{
    private int Step { get; init; }
    private int Direction { get; init; }
    private int BaseY { get; init; }
    private int BaseX { get; init; }
    private int SourceH { get; init; }
    private int SourceW { get; init; }
    private int OutH { get; init; }
    private int OutW { get; init; }
    private int TapsY { get; init; }
    private int TapsX { get; init; }

    // The filter tap of the first tap in either axis, the distance to the next, and the width of the filter.
    private int FirstY { get; init; }
    private int FirstX { get; init; }
    private int TapStep { get; init; }
    private int Kernel { get; init; }
    private int Batch { get; init; }

    // Units of a source pixel, and how far its first unit moves from a tap's last unit to the next tap and to the next row of taps.
    private int Units { get; init; }
    private int NextTap { get; init; }
    private int NextRow { get; init; }

    // How far a row's first tap is to the right of its last one.
    private int BackX { get; init; }

    // A stride over output pixels, as images, rows and columns.
    private int StrideImages { get; init; }
    private int StrideRows { get; init; }
    private int StrideColumns { get; init; }

    /// <summary>Quads of a source pixel.</summary>
    public int SourceQuads { get; private init; }

    /// <summary>Output pixels.</summary>
    public int Pixels => Batch * OutH * OutW;

    /// <summary>Taps.</summary>
    public int Taps => TapsY * TapsX;

    /// <summary>Channels of a source pixel, padding included.</summary>
    public int SourceRows => 4 * SourceQuads;

    public static Gather Forward(in ConvShape s) => new()
    {
        Step = s.Stride,
        Direction = 1,
        BaseY = -s.Padding,
        BaseX = -s.Padding,
        SourceH = s.Input.H,
        SourceW = s.Input.W,
        SourceQuads = GpuKernels.ChannelQuads(s.C),
        OutH = s.P,
        OutW = s.Q,
        TapsY = s.R,
        TapsX = s.R,
        TapStep = 1,
        Kernel = s.R,
        Batch = s.Input.N,
    };

    /// <summary>Phase p holds the input pixels (i·stride + p / stride, j·stride + p % stride).</summary>
    public static Gather InputGradient(in ConvShape s, int phase)
    {
        var (y, x) = (phase / s.Stride, phase % s.Stride);
        var (firstY, firstX) = ((y + s.Padding) % s.Stride, (x + s.Padding) % s.Stride);
        return new()
        {
            Step = 1,
            Direction = -1,
            BaseY = (y + s.Padding - firstY) / s.Stride,
            BaseX = (x + s.Padding - firstX) / s.Stride,
            SourceH = s.P,
            SourceW = s.Q,
            SourceQuads = GpuKernels.ChannelQuads(s.K),
            OutH = Placement.Extent(s.Input.H, y, s.Stride),
            OutW = Placement.Extent(s.Input.W, x, s.Stride),
            TapsY = Placement.Extent(s.R, firstY, s.Stride),
            TapsX = Placement.Extent(s.R, firstX, s.Stride),
            FirstY = firstY,
            FirstX = firstX,
            TapStep = s.Stride,
            Kernel = s.R,
            Batch = s.Input.N,
        };
    }

    /// <summary>The same, with channels walked over in units of that many quads.</summary>
    public Gather InUnits(int quads)
    {
        int units = SourceQuads / quads;
        return this with
        {
            Units = units,
            NextTap = Direction * units - (units - 1),
            BackX = -Direction * (TapsX - 1),
            NextRow = Direction * (SourceW - (TapsX - 1)) * units - (units - 1),
        };
    }

    /// <summary>The same, with output pixels walked over in strides of that many.</summary>
    public Gather InStrides(int pixels) => this with
    {
        StrideImages = pixels / (OutH * OutW),
        StrideRows = pixels / OutW % OutH,
        StrideColumns = pixels % OutW,
    };

    /// <summary>Index of a tap in the filter, or −1 past the last one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int FilterTap(int tap)
    {
        int y = TapsX > 0 ? tap / TapsX : TapsY, x = tap - y * TapsX;
        return y < TapsY ? (FirstY + y * TapStep) * Kernel + FirstX + x * TapStep : -1;
    }

    /// <summary>What an output pixel reads in the reduction's given unit; a pixel past the last one reads padding.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public SourceCursor Start(int pixel, int unit)
    {
        int tap = unit / Units, tapY = TapsX > 0 ? tap / TapsX : 0, tapX = tap - tapY * TapsX, row = pixel / OutW, image = row / OutH;
        int y = (row - image * OutH) * Step + BaseY + tapY * Direction, x = (pixel - row * OutW) * Step + BaseX + tapX * Direction;
        int index = ((image * SourceH + y) * SourceW + x - tap) * Units + unit;
        return new SourceCursor(index, pixel < Pixels ? y : Nowhere, x, tapY, tapX, unit - tap * Units);
    }

    /// <summary>The next unit of channels, of this tap or the next one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public SourceCursor Next(SourceCursor at)
    {
        if (at.Unit + 1 < Units) return new SourceCursor(at.Index + 1, at.Y, at.X, at.TapY, at.TapX, at.Unit + 1);
        if (at.TapX + 1 < TapsX) return new SourceCursor(at.Index + NextTap, at.Y, at.X + Direction, at.TapY, at.TapX + 1, 0);
        return new SourceCursor(at.Index + NextRow, at.Y + Direction, at.X + BackX, at.TapY + 1, 0, 0);
    }

    /// <summary>Whether the cursor is in an image; false in the padding.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Has(SourceCursor at) => Has(at.Y, at.X);

    /// <summary>Whether the cursor is on a tap, not past the last one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool HasTap(SourceCursor at) => at.TapY < TapsY;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool Has(int y, int x) => (uint)y < (uint)SourceH && (uint)x < (uint)SourceW;

    /// <summary>The output pixel with a given index.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public PixelCursor PixelAt(int pixel)
    {
        int row = pixel / OutW, image = row / OutH;
        return new PixelCursor(image, row - image * OutH, pixel - row * OutW);
    }

    /// <summary>The output pixel a stride further.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public PixelCursor Advance(PixelCursor at)
    {
        int x = at.X + StrideColumns, y = at.Y + StrideRows, image = at.Image + StrideImages;
        if (x >= OutW) y++;
        if (y >= OutH) image++;
        return new PixelCursor(image, y >= OutH ? y - OutH : y, x >= OutW ? x - OutW : x);
    }

    /// <summary>What the first tap of an output pixel reads; nothing is inside for a pixel that does not count.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Window WindowOf(PixelCursor at, bool counts)
    {
        int y = at.Y * Step + BaseY, x = at.X * Step + BaseX;
        return new Window((at.Image * SourceH + y) * SourceW + x, counts ? y : Nowhere, x);
    }

    /// <summary>A row of the weight gradient: a tap, and a unit of channels of which <paramref name="units"/> make a tap.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public RowCursor RowAt(int row, int units)
    {
        int tap = row / units, y = tap / TapsX, x = tap - y * TapsX;
        return new RowCursor(tap < TapsY * TapsX ? y : Nowhere, x, y * SourceW + x, row - tap * units);
    }

    /// <summary>Index of the source pixel that a row's tap reads, or −1 in the padding.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int SourcePixel(Window window, RowCursor row) =>
        Has(window.Y + row.TapY, window.X + row.TapX) ? window.Pixel + row.Offset : -1;

    /// <summary>The same with a tap that is given by its row and column.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int SourcePixel(Window window, int tapY, int tapX) =>
        Has(window.Y + tapY, window.X + tapX) ? window.Pixel + tapY * SourceW + tapX : -1;

    /// <summary>A row that no tap can move into an image.</summary>
    private const int Nowhere = -1 << 20;
}

/// <summary>
/// What an output pixel reads: index of a unit of source channels, its pixel's row and column, and the tap and unit of channels.
/// </summary>
internal readonly struct SourceCursor(int index, int y, int x, int tapY, int tapX, int unit)
{
    public readonly int Index = index, Y = y, X = x, TapY = tapY, TapX = tapX, Unit = unit;
}

/// <summary>An output pixel.</summary>
internal readonly struct PixelCursor(int image, int y, int x)
{
    public readonly int Image = image, Y = y, X = x;
}

/// <summary>The source pixel under an output pixel's first tap, which may lie outside: its index, row and column.</summary>
internal readonly struct Window(int pixel, int y, int x)
{
    public readonly int Pixel = pixel, Y = y, X = x;

    /// <summary>Another lane's.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Window Of(int lane) => new(Warp.Shuffle(Pixel, lane), Warp.Shuffle(Y, lane), Warp.Shuffle(X, lane));

    /// <summary>The same, computed here (<see cref="Pin"/>).</summary>
    public Window Pinned
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => new(Pin.Here(Pixel), Pin.Here(Y), Pin.Here(X));
    }
}

/// <summary>A tap, the distance in source pixels to the one that it reads, and a unit of channels.</summary>
internal readonly struct RowCursor(int tapY, int tapX, int offset, int unit)
{
    public readonly int TapY = tapY, TapX = tapX, Offset = offset, Unit = unit;
}
