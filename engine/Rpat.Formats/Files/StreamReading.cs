namespace Rpat.Formats.Files;

/// <summary>Reads from streams whose length is not known, such as unpacked archives.</summary>
internal static class StreamReading
{
    private const int FirstPiece = 1 << 20;

    /// <summary>
    /// Reads up to <paramref name="count"/> bytes. Memory grows with the bytes that arrive, to at most twice their number, so that
    /// a false length costs nothing; a shorter result means that the stream ended.
    /// </summary>
    internal static byte[] ReadUpTo(Stream stream, int count)
    {
        byte[] buffer = new byte[Math.Min(count, FirstPiece)];
        int filled = 0;
        while (true)
        {
            filled += stream.ReadAtLeast(buffer.AsSpan(filled), buffer.Length - filled, throwOnEndOfStream: false);
            if (filled < buffer.Length) return buffer[..filled];
            if (filled == count) return buffer;
            Array.Resize(ref buffer, (int)Math.Min(count, 2L * buffer.Length));
        }
    }

    /// <summary>Reverses the bytes of every number; a complex one is two floats, each with its own byte order.</summary>
    internal static void SwapBytes(Span<byte> data, ElementType type)
    {
        int size = type == ElementType.C64 ? 4 : type.Size();
        if (size == 1) return;
        for (int at = 0; at < data.Length; at += size) data.Slice(at, size).Reverse();
    }
}
