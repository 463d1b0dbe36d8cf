namespace Rpat.Training.Data.Jpeg;

/// <summary>The bits of a scan, without the zero bytes that follow each FF, up to the next marker.</summary>
internal sealed class EntropyBits(byte[] file, int start)
{
    // Encoders pad with zeros or ones to an even address, and a few write a byte or two too many; a lost part leaves more.
    private const int MostPadding = 16;
    private const int MostOdd = 3;

    private ulong _bits; // the lowest _count are valid
    private int _count;

    /// <summary>Where the next byte is taken from.</summary>
    public int Position { get; private set; } = start;

    /// <summary>The next bits, without consuming them; zeros after the end.</summary>
    public int Peek(int count)
    {
        if (_count < count) Fill();
        ulong value = _count >= count ? _bits >> (_count - count) : _bits << (count - _count);
        return (int)value & ((1 << count) - 1);
    }

    /// <summary>Consumes bits.</summary>
    /// <exception cref="PictureException">The scan has no more.</exception>
    public void Skip(int count)
    {
        if (count > _count) throw new PictureException($"its data end at byte {Position}, in the middle of the picture");
        _count -= count;
    }

    /// <summary>Reads an unsigned number.</summary>
    public int Take(int count)
    {
        int value = Peek(count);
        Skip(count);
        return value;
    }

    /// <summary>Reads a signed number of that many bits, whose first bit is 0 if it is negative.</summary>
    public int TakeSigned(int count)
    {
        int value = count == 0 ? 0 : Take(count);
        return count == 0 || value >= 1 << (count - 1) ? value : value - (1 << count) + 1;
    }

    /// <summary>Skips the padding of the last byte and before the marker, and leaves the position at the marker.</summary>
    /// <exception cref="PictureException">More is left than encoders leave.</exception>
    public void Finish()
    {
        (int left, bool padding) = (0, true);
        for (_count -= _count % 8; _count > 0 || Fill(); left++) padding &= Take(8) is 0 or 255;
        if (left > (padding ? MostPadding : MostOdd))
            throw new PictureException($"{left} bytes of its data are left over before byte {Position}: a part was lost or overwritten");
    }

    private bool Fill()
    {
        for (; _count <= 56 && Position < file.Length; Position++, _count += 8)
        {
            if (file[Position] == 0xFF && (Position + 1 == file.Length || file[Position + 1] != 0)) break;
            _bits = _bits << 8 | file[Position];
            if (file[Position] == 0xFF) Position++;
        }

        return _count > 0;
    }
}
