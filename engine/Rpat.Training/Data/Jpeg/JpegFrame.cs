namespace Rpat.Training.Data.Jpeg;

/// <summary>The description of the whole picture in a start-of-frame segment.</summary>
internal sealed record JpegFrame(bool Progressive, int Width, int Height, JpegComponent[] Components)
{
    // The same limit as for the other decoder's allocator.
    private const long MostCoefficientBytes = 256 << 20;

    public int MaxH { get; } = Components.Max(c => c.H);

    public int MaxV { get; } = Components.Max(c => c.V);

    /// <summary>Minimum coded units per row of an interleaved scan.</summary>
    public int McusWide => Parts(Width, 8 * MaxH);

    /// <summary>Rows of minimum coded units of an interleaved scan.</summary>
    public int McusHigh => Parts(Height, 8 * MaxV);

    /// <summary>
    /// Gives every component its sizes, and its coefficients once <paramref name="fileBytes"/> can hold that many blocks.
    /// </summary>
    public void Allocate(int fileBytes)
    {
        foreach (JpegComponent c in Components)
        {
            if (MaxH % c.H != 0 || MaxV % c.V != 0)
                throw new PictureException($"its sampling {c.H}x{c.V} of {MaxH}x{MaxV} is not supported");
            (c.Width, c.Height) = (Parts(Width * c.H, MaxH), Parts(Height * c.V, MaxV));
            (c.BlocksWide, c.BlocksHigh) = (McusWide * c.H, McusHigh * c.V);
        }

        long blocks = Components.Sum(c => (long)c.BlocksWide * c.BlocksHigh);
        if (blocks > 8L * fileBytes)
            throw new PictureException($"its {fileBytes} bytes cannot hold the {Width}x{Height} pixels that its header announces");
        if (blocks * 128 > MostCoefficientBytes)
            throw new PictureException($"its {Width}x{Height} pixels take more than {MostCoefficientBytes >> 20} MiB to decode");
        foreach (JpegComponent c in Components) c.Coefficients = new short[64 * c.BlocksWide * c.BlocksHigh];
    }

    public static int Parts(int size, int part) => (size + part - 1) / part;
}

/// <summary>One component: luma, a colour difference, or an ink.</summary>
internal sealed class JpegComponent(int id, int h, int v, int table)
{
    /// <summary>Not yet in any scan.</summary>
    public const int Unseen = -1;

    public int Id => id;

    /// <summary>Horizontal sampling factor.</summary>
    public int H => h;

    /// <summary>Vertical sampling factor.</summary>
    public int V => v;

    /// <summary>Which quantisation table it uses.</summary>
    public int Table => table;

    /// <summary>Samples per row.</summary>
    public int Width { get; set; }

    /// <summary>Rows of samples.</summary>
    public int Height { get; set; }

    public int BlocksWide { get; set; }

    public int BlocksHigh { get; set; }

    /// <summary>[BlocksHigh, BlocksWide, 8, 8].</summary>
    public short[] Coefficients { get; set; } = [];

    /// <summary>The quantisation steps, [8, 8], as they were when its first scan began.</summary>
    public ushort[]? Steps { get; set; }

    /// <summary>How many low bits of each coefficient, in zigzag order, are still to come.</summary>
    public int[] BitsToCome { get; } = [.. Enumerable.Repeat(Unseen, 64)];

    /// <summary>The last DC value, to which the next one is a difference.</summary>
    public int Predicted { get; set; }

    public Span<short> Block(int row, int column) => Coefficients.AsSpan(64 * (row * BlocksWide + column), 64);
}
