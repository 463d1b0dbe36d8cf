namespace Rpat.Training.Data.Jpeg;

/// <summary>A Huffman table of a JPEG file (ITU-T T.81, annexes C and F.2.2.3).</summary>
internal sealed class HuffmanTable
{
    private const int Longest = 16;
    private const int Direct = 9;

    private readonly byte[] _symbols;
    private readonly ushort[] _direct = new ushort[1 << Direct]; // length << 8 | symbol, 0 if the code is longer
    private readonly int[] _end = new int[Longest + 1]; // one past the last code of a length, aligned to 16 bits
    private readonly int[] _offset = new int[Longest + 1]; // symbol's index - code

    /// <summary>Makes the table.</summary>
    /// <param name="counts">How many codes have 1 to 16 bits.</param>
    /// <param name="symbols">The symbols in the order of their codes.</param>
    /// <exception cref="PictureException">The number of codes does not fit their lengths.</exception>
    public HuffmanTable(ReadOnlySpan<byte> counts, ReadOnlySpan<byte> symbols)
    {
        _symbols = symbols.ToArray();
        for (int length = 1, code = 0, place = 0; length <= Longest; length++, code <<= 1)
        {
            _offset[length] = place - code;
            for (int i = 0; i < counts[length - 1]; i++, code++, place++)
                if (length <= Direct) FillDirect(code, length, _symbols[place]);
            if (code > 1 << length) throw new PictureException("a Huffman table holds more codes than there are");
            _end[length] = code << (Longest - length);
        }
    }

    private void FillDirect(int code, int length, byte symbol)
    {
        int unused = Direct - length;
        _direct.AsSpan(code << unused & ((1 << Direct) - 1), 1 << unused).Fill((ushort)(length << 8 | symbol));
    }

    /// <summary>Reads one code and returns its symbol.</summary>
    public int Decode(EntropyBits bits)
    {
        int ahead = bits.Peek(Longest), direct = _direct[ahead >> (Longest - Direct)];
        if (direct != 0)
        {
            bits.Skip(direct >> 8);
            return direct & 255;
        }

        for (int length = Direct + 1; length <= Longest; length++)
        {
            if (ahead >= _end[length]) continue;
            bits.Skip(length);
            return _symbols[(ahead >> (Longest - length)) + _offset[length]];
        }

        throw new PictureException("its data hold a code that no table has");
    }
}
