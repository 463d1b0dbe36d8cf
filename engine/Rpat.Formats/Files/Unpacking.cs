using System.IO.Compression;

namespace Rpat.Formats.Files;

/// <summary>
/// Checks shared by all readers of packed files: no file may unpack to far more than arrays of numbers do, no member of a zip to more
/// or less than its directory says, and its checksum must match its bytes.
/// </summary>
internal static class Unpacking
{
    // Deflate reaches 1032; pictures and weights stay under 10 unless they are constant.
    private const int MostTimes = 100;
    private const int MostTimesOfWeights = 32;
    private const long AlwaysAllowed = 512 << 20;

    /// <summary>What is wrong with a file of <paramref name="packed"/> bytes that declares <paramref name="unpacked"/>, or null.</summary>
    internal static string? TooMuch(Int128 unpacked, long packed) => unpacked <= AlwaysAllowed || unpacked <= (Int128)packed * MostTimes
        ? null
        : $"its {packed} bytes would unpack to {unpacked}, over {MostTimes} times as many";

    /// <summary>The same for weights, which never shrink to a thirtieth; <paramref name="spare"/> bytes are always allowed.</summary>
    private static string? TooMuchForWeights(Int128 unpacked, long packed, long spare) =>
        unpacked <= MostTimesOfWeights * (Int128)packed + spare
        ? null
        : $"its {packed} bytes would unpack to {unpacked}, over {MostTimesOfWeights} times its size";

    /// <summary>How much the members of one weight file may unpack to in total; members that are not read do not count.</summary>
    internal sealed class Budget(long packed, long spare)
    {
        private readonly HashSet<string> _read = new(StringComparer.Ordinal);
        private Int128 _bytes;

        /// <summary>What is wrong with reading this member as well, or null.</summary>
        internal string? Spend(ZipArchiveEntry entry)
        {
            if (_read.Add(entry.FullName)) _bytes += entry.Length;
            return TooMuchForWeights(_bytes, packed, spare);
        }
    }

    /// <summary>Reads one member of a zip; what <paramref name="read"/> leaves unread is skipped but included in the checksum.</summary>
    /// <param name="zeroIsNoSum">Whether a checksum of 0 means that the writer computed none, an option of torch.</param>
    internal static T ReadMember<T>(ZipArchiveEntry entry, Func<Stream, T> read, Func<string, Exception> fail, bool zeroIsNoSum = false)
    {
        using var stream = new SumStream(entry.Open());
        T result = read(stream);
        Span<byte> rest = stackalloc byte[4096];
        while (stream.Count <= entry.Length && stream.Read(rest) > 0) continue;
        if (stream.Count != entry.Length) throw fail($"member '{entry.FullName}' has not the {entry.Length} bytes that are announced");
        if (stream.Sum == entry.Crc32 || (zeroIsNoSum && entry.Crc32 == 0)) return result;
        throw fail($"the check sum of member '{entry.FullName}' is {stream.Sum:X8} where {entry.Crc32:X8} is expected");
    }
}
