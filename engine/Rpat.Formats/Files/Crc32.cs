namespace Rpat.Formats.Files;

/// <summary>The checksum of zip, gzip and PNG: CRC-32, reflected polynomial EDB88320 (ISO/IEC 3309).</summary>
public static class Crc32
{
    private const int Slices = 8;

    // [slice, byte]: what a byte contributes that many bytes before the end of a group of eight.
    private static readonly uint[] _table = Table();

    /// <summary>The checksum of bytes.</summary>
    /// <param name="before">The checksum of the bytes before them; 0 at the beginning.</param>
    public static uint Of(ReadOnlySpan<byte> bytes, uint before = 0)
    {
        uint crc = ~before;
        for (; bytes.Length >= Slices; bytes = bytes[Slices..])
        {
            uint next = 0;
            for (int i = 0; i < Slices; i++) next ^= _table[256 * (Slices - 1 - i) + (bytes[i] ^ (i < 4 ? (byte)(crc >> 8 * i) : 0))];
            crc = next;
        }

        foreach (byte b in bytes) crc = _table[(byte)(crc ^ b)] ^ (crc >> 8);
        return ~crc;
    }

    private static uint[] Table()
    {
        var table = new uint[Slices * 256];
        for (int i = 0; i < table.Length; i++)
        {
            uint crc = i < 256 ? (uint)i : table[i - 256];
            if (i >= 256) table[i] = table[(byte)crc] ^ (crc >> 8);
            else
            {
                for (int bit = 0; bit < 8; bit++) crc = (crc & 1) == 0 ? crc >> 1 : (crc >> 1) ^ 0xEDB88320;
                table[i] = crc;
            }
        }

        return table;
    }
}
