namespace Rpat.Training.Data.Jpeg;

/// <summary>Decodes one scan into coefficients: sequential (T.81 annex F.2.2) or progressive (annex G.2).</summary>
/// <param name="Parts">Its components with their tables; a table may be missing if the scan needs none.</param>
/// <param name="First">The first coefficient in zigzag order.</param>
/// <param name="High">Bits left by the previous scan, 0 in a first scan.</param>
/// <param name="Interval">Units between restart markers, 0 for none.</param>
internal sealed record JpegScan(
    JpegFrame Frame, (JpegComponent Component, HuffmanTable? Dc, HuffmanTable? Ac)[] Parts,
    int First, int Last, int High, int Low, int Interval)
{
    private EntropyBits _bits = null!;
    private int _emptyBlocks;

    /// <summary>The index of each coefficient in its block, in zigzag order.</summary>
    public static ReadOnlySpan<byte> Zigzag =>
    [
        0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
        35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
    ];

    /// <summary>Decodes the scan whose data begin at <paramref name="start"/>.</summary>
    /// <returns>The position of the marker after it.</returns>
    public int Decode(byte[] file, int start)
    {
        Check();
        _bits = new EntropyBits(file, start);
        bool alone = Parts.Length == 1;
        JpegComponent only = Parts[0].Component;
        (int wide, int high) = alone ? (JpegFrame.Parts(only.Width, 8), JpegFrame.Parts(only.Height, 8)) : (Frame.McusWide, Frame.McusHigh);
        for (int unit = 0; unit < wide * high; unit++)
        {
            if (unit == 0 || (Interval > 0 && unit % Interval == 0)) Restart(file, unit);
            if (alone) Block(only.Block(unit / wide, unit % wide), Parts[0]);
            else Unit(unit / wide, unit % wide);
        }

        _bits.Finish();
        return _bits.Position;
    }

    private void Check()
    {
        bool sound = !Frame.Progressive ? (First, Last, High, Low) == (0, 63, 0, 0)
            : (First == 0 ? Last == 0 : First <= Last && Last < 64 && Parts.Length == 1) && Low < 14 && (High == 0 || High == Low + 1);
        if (!sound) throw new PictureException($"a scan of coefficients {First} to {Last}, bits {High} to {Low}, does not exist");
        foreach (var (component, dc, ac) in Parts)
        {
            if ((dc is null && First == 0 && High == 0) || (ac is null && Last > 0))
                throw new PictureException("a scan names a Huffman table that is not there");
            foreach (ref int left in component.BitsToCome.AsSpan(First..(Last + 1)))
                left = left == (High == 0 ? JpegComponent.Unseen : High)
                    ? Low
                    : throw new PictureException("a scan is missing or occurs twice");
        }
    }

    private void Restart(byte[] file, int unit)
    {
        if (unit > 0)
        {
            _bits.Finish();
            int at = _bits.Position;
            while (at + 1 < file.Length && file[at + 1] == 0xFF) at++;
            int expected = 0xD0 + (unit / Interval - 1) % 8;
            if (at + 1 >= file.Length || file[at + 1] != expected)
                throw new PictureException($"its restart marker {expected:X2} is missing at byte {at}");
            _bits = new EntropyBits(file, at + 2);
        }

        _emptyBlocks = 0;
        foreach (var part in Parts) part.Component.Predicted = 0;
    }

    private void Unit(int row, int column)
    {
        foreach (var part in Parts)
        {
            (int h, int v) = (part.Component.H, part.Component.V);
            for (int i = 0; i < h * v; i++) Block(part.Component.Block(row * v + i / h, column * h + i % h), part);
        }
    }

    private void Block(Span<short> block, (JpegComponent Component, HuffmanTable? Dc, HuffmanTable? Ac) part)
    {
        if (First == 0) Direct(block, part.Component, part.Dc);
        if (Last == 0) return;
        if (High > 0) Refine(block, part.Ac!);
        else Alternating(block, part.Ac!);
    }

    private void Direct(Span<short> block, JpegComponent component, HuffmanTable? table)
    {
        if (High > 0)
        {
            block[0] |= (short)(_bits.Take(1) << Low);
            return;
        }

        int size = table!.Decode(_bits);
        if (size > 15) throw new PictureException("its data hold a difference of more than 15 bits");
        component.Predicted += _bits.TakeSigned(size);
        block[0] = (short)(component.Predicted << Low);
    }

    private void Alternating(Span<short> block, HuffmanTable table)
    {
        if (_emptyBlocks > 0)
        {
            _emptyBlocks--;
            return;
        }

        for (int k = Math.Max(First, 1); k <= Last; k++)
        {
            int code = table.Decode(_bits), zeros = code >> 4, size = code & 15;
            if (size == 0 && zeros < 15)
            {
                _emptyBlocks = EmptyBlocks(zeros) - 1;
                return;
            }

            if ((k += zeros) > Last) throw new PictureException("its data run over the end of a block");
            block[Zigzag[k]] = (short)(_bits.TakeSigned(size) << Low);
        }
    }

    // Number of blocks without further coefficients, including this one. A sequential scan ends single blocks.
    private int EmptyBlocks(int bits)
    {
        if (bits > 0 && !Frame.Progressive) throw new PictureException("its data hold a code of another kind of JPEG");
        return (1 << bits) + (bits > 0 ? _bits.Take(bits) : 0);
    }

    // One more bit of the coefficients already known to be nonzero, and coefficients that become ±1 now, after a run that stays zero.
    private void Refine(Span<short> block, HuffmanTable table)
    {
        int k = First;
        while (_emptyBlocks == 0 && k <= Last)
        {
            int code = table.Decode(_bits), zeros = code >> 4, size = code & 15;
            if (size > 1) throw new PictureException("its data hold a refinement of more than one bit");
            if (size == 0 && zeros < 15)
            {
                _emptyBlocks = EmptyBlocks(zeros);
                break;
            }

            int value = size == 0 ? 0 : _bits.Take(1) == 1 ? 1 << Low : -1 << Low;
            k = RefineUpTo(block, k, zeros);
            if (k > Last) throw new PictureException("its data run over the end of a block");
            if (size > 0) block[Zigzag[k]] = (short)value;
            k++;
        }

        if (_emptyBlocks == 0) return;
        RefineUpTo(block, k, int.MaxValue);
        _emptyBlocks--;
    }

    // The index of the zero coefficient after that many others.
    private int RefineUpTo(Span<short> block, int k, int zeros)
    {
        for (; k <= Last; k++)
        {
            ref short value = ref block[Zigzag[k]];
            if (value == 0)
            {
                if (zeros-- == 0) break;
            }
            else if (_bits.Take(1) == 1)
            {
                value += (short)(value > 0 ? 1 << Low : -1 << Low);
            }
        }

        return k;
    }
}
