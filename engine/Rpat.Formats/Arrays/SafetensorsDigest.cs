using System.Security.Cryptography;

namespace Rpat.Formats.Arrays;

/// <summary>
/// The SHA-256 of a whole safetensors file, stored in its own metadata and computed with zeros in place of the digest. A second
/// entry says that there is a digest, so that damage to the first one's name does not hide it.
/// </summary>
internal static class SafetensorsDigest
{
    private const string Name = "rpat.sha256";
    private const string Mark = "rpat.hash";
    private const string Kind = "sha256";
    private const int Digits = 64;
    private const int Piece = 1 << 20;

    private static readonly string _zeros = new('0', Digits);

    /// <summary>Makes room for the digest.</summary>
    public static void Reserve(IDictionary<string, string> metadata) => (metadata[Name], metadata[Mark]) = (_zeros, Kind);

    /// <summary>Puts the digest into a header that has room for it.</summary>
    /// <param name="parts">The bytes before the digest, the digest itself, and the bytes after it.</param>
    public static void Fill(byte[] header, IEnumerable<ReadOnlyMemory<byte>> parts)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (ReadOnlyMemory<byte> part in parts) hash.AppendData(part.Span);
        Encoding.ASCII.GetBytes(Convert.ToHexStringLower(hash.GetHashAndReset()), header.AsSpan(Place(header, _zeros)));
    }

    /// <summary>Whether a file says that it has a digest.</summary>
    public static bool IsIn(IReadOnlyDictionary<string, string> metadata) => metadata.ContainsKey(Name) || metadata.ContainsKey(Mark);

    /// <summary>Whether the digest matches the file's bytes.</summary>
    public static bool Holds(FileReader file, SafetensorsHeader header)
    {
        if (header.Metadata.GetValueOrDefault(Mark) != Kind || header.Metadata.GetValueOrDefault(Name) is not { Length: Digits } digest)
            return false;
        int place = Place(header.Text, digest);
        return place >= 0 && digest == Hash(file, SafetensorsHeader.LengthBytes + place);
    }

    // Quotes in other texts of the header are escaped, so that only the entry itself looks like this.
    private static int Place(ReadOnlySpan<byte> header, string digest)
    {
        string entry = $"\"{Name}\":\"";
        int at = header.IndexOf(Encoding.UTF8.GetBytes(entry + digest + "\""));
        return at < 0 ? -1 : at + entry.Length;
    }

    private static string Hash(FileReader file, long place)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(hash, file, 0, place);
        hash.AppendData(Encoding.ASCII.GetBytes(_zeros));
        Append(hash, file, place + Digits, file.Length);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static void Append(IncrementalHash hash, FileReader file, long from, long to)
    {
        byte[] piece = new byte[Math.Min(Piece, to - from)];
        for (int count; from < to; from += count)
        {
            count = (int)Math.Min(piece.Length, to - from);
            file.ReadExactly(from, piece.AsSpan(0, count));
            hash.AppendData(piece, 0, count);
        }
    }
}
