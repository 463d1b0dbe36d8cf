namespace Rpat.Engine.Gpu.Kernels;

/// <summary>
/// Which source pixel an output pixel and a tap read: y = i·step + t·direction + base, for rows and columns alike. Forward: step = stride,
/// direction 1, base −padding. Input gradient, for the input pixels of one stride phase (remainders modulo the stride): step 1, direction
/// −1, and only the taps that reach that phase.
/// </summary>
internal readonly struct Gather
{
    private int Step { get; init; }
    private int Direction { get; init; }
    private int BaseY { get; init; }
    private int BaseX { get; init; }
    private int SourceH { get; init; }
    private int SourceW { get; init; }
    private int SourceQuads { get; init; }
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

    /// <summary>The window of an output pixel.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Window WindowOf(int pixel)
    {
        int row = pixel / OutW, image = row / OutH;
        int y = (row - image * OutH) * Step + BaseY, x = (pixel - row * OutW) * Step + BaseX;
        return new Window(image * SourceH, pixel < Pixels ? y : Window.Nowhere, x);
    }

    /// <summary>The first quad of the source pixel that a tap reads, or −1 in the padding.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int SourceIndex(Window window, int tapY, int tapX)
    {
        int y = window.Y + tapY * Direction, x = window.X + tapX * Direction;
        bool inside = (uint)y < (uint)SourceH && (uint)x < (uint)SourceW;
        return inside ? ((window.Row + y) * SourceW + x) * SourceQuads : -1;
    }

    /// <summary>A position in the reduction over taps and channels, <paramref name="chunks"/> steps per tap.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TapCursor Start(int step, int chunks)
    {
        int tap = step / chunks, y = TapsX > 0 ? tap / TapsX : 0;
        return new TapCursor(y, tap - y * TapsX, step - tap * chunks);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TapCursor Next(TapCursor at, int chunks)
    {
        bool carryX = at.Chunk + 1 == chunks, carryY = carryX && at.X + 1 == TapsX;
        return new TapCursor(carryY ? at.Y + 1 : at.Y, carryY ? 0 : carryX ? at.X + 1 : at.X, carryX ? 0 : at.Chunk + 1);
    }

    /// <summary>Whether the cursor is on a tap: a loop that prefetches steps past the last one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Has(TapCursor at) => at.Y < TapsY && at.X < TapsX;

    /// <summary>Index of the cursor's tap in the filter.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int FilterTap(TapCursor at) => (FirstY + at.Y * TapStep) * Kernel + FirstX + at.X * TapStep;

    /// <summary>The tap and the quad of channels of a row of the weight gradient.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TapCursor TapOfRow(int rowQuad)
    {
        int tap = rowQuad / SourceQuads, y = tap / TapsX;
        return new TapCursor(y, tap - y * TapsX, rowQuad - tap * SourceQuads);
    }

    /// <summary>Moves a window by a few output pixels, without a division.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public PixelCursor Advance(PixelCursor at, int by)
    {
        int image = at.Image, y = at.Y, x = at.X + by;
        while (x >= OutW)
        {
            x -= OutW;
            y++;
            if (y == OutH)
            {
                y = 0;
                image++;
            }
        }
        return new PixelCursor(image, y, x);
    }

    /// <summary>The output pixel with a given index.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public PixelCursor PixelAt(int pixel)
    {
        int row = pixel / OutW, image = row / OutH;
        return new PixelCursor(image, row - image * OutH, pixel - row * OutW);
    }

    /// <summary>The first quad of the source pixel that a tap of an output pixel reads, or −1 in the padding.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int SourceIndex(PixelCursor at, TapCursor tap)
    {
        var window = new Window(at.Image * SourceH, at.Y * Step + BaseY, at.X * Step + BaseX);
        return at.Image < Batch ? SourceIndex(window, tap.Y, tap.X) : -1;
    }

    /// <summary>Quads of a source pixel.</summary>
    public int QuadsOfPixel
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => SourceQuads;
    }
}

/// <summary>The source pixels under an output pixel's filter: the image's first row, and the top left corner in the image.</summary>
internal readonly struct Window(int row, int y, int x)
{
    /// <summary>A row that no tap can move into an image.</summary>
    public const int Nowhere = -1 << 20;

    public readonly int Row = row, Y = y, X = x;
}

/// <summary>A tap and a chunk of its channels.</summary>
internal readonly struct TapCursor(int y, int x, int chunk)
{
    public readonly int Y = y, X = x, Chunk = chunk;
}

/// <summary>An output pixel.</summary>
internal readonly struct PixelCursor(int image, int y, int x)
{
    public readonly int Image = image, Y = y, X = x;
}
