using System.IO.Compression;

namespace Rpat.Formats.Files;

/// <summary>
/// What all readers of packed files share: no file may unpack to far more than arrays of numbers do, no member of a zip to more or
/// less than its directory says, and its check sum must be that of its bytes.
/// </summary>
internal static class Unpacking
{
    // Deflate reaches 1032; pictures and weights stay under 10, unless they are all of one colour.
    private const int MostTimes = 100;
    private const int MostTimesOfWeights = 32;
    private const long AlwaysAllowed = 512 << 20;

    /// <summary>What is wrong with a file of <paramref name="packed"/> bytes that announces <paramref name="unpacked"/>, or null.</summary>
    internal static string? TooMuch(Int128 unpacked, long packed) => unpacked <= AlwaysAllowed || unpacked <= (Int128)packed * MostTimes
        ? null
        : $"its {packed} bytes would unpack to {unpacked}, over {MostTimes} times as many";

    /// <summary>The same for weights, which do not shrink to a thirtieth; <paramref name="spare"/> bytes are always allowed.</summary>
    private static string? TooMuchForWeights(Int128 unpacked, long packed, long spare) =>
        unpacked <= MostTimesOfWeights * (Int128)packed + spare
        ? null
        : $"its {packed} bytes would unpack to {unpacked}, over {MostTimesOfWeights} times its size";

    /// <summary>
    /// What the members of one file of weights that are read may unpack to in all; those that nobody reads cost nothing.
    /// </summary>
    internal sealed class Budget(long packed, long spare)
    {
        private readonly HashSet<string> _read = new(StringComparer.Ordinal);
        private Int128 _bytes;

        /// <summary>What is wrong with reading this member too, or null.</summary>
        internal string? Spend(ZipArchiveEntry entry)
        {
            if (_read.Add(entry.FullName)) _bytes += entry.Length;
            return TooMuchForWeights(_bytes, packed, spare);
        }
    }

    /// <summary>Reads one member of a zip; what <paramref name="read"/> leaves is passed over and summed up as well.</summary>
    /// <param name="zeroIsNoSum">Whether a check sum of 0 means that the writer made none, as torch can be told.</param>
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
