namespace Rpat.Tests.Support;

/// <summary>Damaged copies of a file.</summary>
internal static class Mutants
{
    /// <summary>How many to try of each kind of file: the environment variable RPAT_MUTANTS, or what fits a run of all tests.</summary>
    public static int Count(int usual) =>
        int.TryParse(Environment.GetEnvironmentVariable("RPAT_MUTANTS"), NumberStyles.None, CultureInfo.InvariantCulture, out int count)
            ? count
            : usual;

    /// <summary>One with changed bits, bytes and lengths, cuts, and stretches that were moved within the file.</summary>
    public static byte[] Of(byte[] whole, System.Random random)
    {
        byte[] bytes = [.. whole];
        for (int times = random.Next(1, 4); times > 0 && bytes.Length > 0; times--)
        {
            int at = random.Next(bytes.Length);
            switch (random.Next(7))
            {
                case 0: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 1: bytes[at] = (byte)random.Next(256); break;
                case 2: bytes[at] = 0xFF; break;
                case 3: bytes.AsSpan(at, Math.Min(random.Next(1, 9), bytes.Length - at)).Fill((byte)(0x7F + 0x80 * random.Next(2))); break;
                case 4: bytes = bytes[..at]; break;
                case 5: bytes = [.. bytes[..at], .. bytes[random.Next(bytes.Length)..]]; break;
                default: bytes = [.. bytes[..at], .. Encoding.ASCII.GetBytes("()]}.cR"[random.Next(7)..]), .. bytes[at..]]; break;
            }
        }
        return bytes;
    }
}
