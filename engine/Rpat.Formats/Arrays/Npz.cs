using System.IO.Compression;

namespace Rpat.Formats.Arrays;

/// <summary>NumPy's .npz format: a zip of .npy entries, stored or deflated.</summary>
public static class Npz
{
    internal const string Extension = ".npy";

    // The earliest time that a zip entry can hold; the real time would make files of equal contents differ.
    private static readonly DateTimeOffset _noTime = new(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Reads the arrays of a file by name.</summary>
    /// <param name="wanted">Chooses the arrays to read; all when null. Entries that are not .npy are skipped.</param>
    /// <exception cref="DataException">The file is missing, damaged or truncated, has a name twice, or unpacks to too much.</exception>
    public static IReadOnlyDictionary<string, NamedArray> Read(string path, Predicate<string>? wanted = null) =>
        Read(path, name => wanted is null || wanted(name) ? long.MaxValue : 0);

    /// <summary>Reads the arrays of a file within limits on their size, and refuses a file that declares more.</summary>
    /// <param name="most">The maximum bytes of an array by name, header included; 0 skips it.</param>
    /// <param name="other">Receives name and type of each array of objects, texts or records, which is
    /// then skipped; null refuses the file.</param>
    /// <exception cref="DataException">The file is missing, damaged or truncated, has a name twice, or unpacks to too much.</exception>
    public static IReadOnlyDictionary<string, NamedArray> Read(string path, Func<string, long> most, Action<string, string>? other = null)
    {
        using (FileReader.OpenData(path))
        {
            try
            {
                using ZipArchive archive = new ZipArchive(RegularFile.Open(path));
                return ReadEntries(archive, new FileInfo(path).Length, path, most, other);
            }
            catch (Exception error) when (error is InvalidDataException or IOException or NotSupportedException or ArgumentException)
            {
                throw new DataException(
                    $"'{path}' is not a sound .npz file ({error.Message.TrimEnd('.')}): save it again with numpy.savez.", error);
            }
        }
    }

    /// <summary>Writes a file atomically; the same arrays in the same order give the same bytes.</summary>
    /// <param name="path">The file to make or replace.</param>
    /// <param name="arrays">The arrays; names must differ.</param>
    /// <param name="compress">Deflates the entries; stores them when false.</param>
    /// <exception cref="ArgumentException">A name occurs twice.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(string path, IReadOnlyList<NamedArray> arrays, bool compress = true)
    {
        ArgumentNullException.ThrowIfNull(arrays);
        if (arrays.Select(a => a.Name).Distinct(StringComparer.Ordinal).Count() != arrays.Count)
            throw new ArgumentException("Two arrays of an .npz file have the same name: give every array its own name.", nameof(arrays));
        AtomicFile.Write(path, stream =>
        {
            using var archive = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true);
            foreach (NamedArray array in arrays) WriteEntry(archive, array, compress);
        });
    }

    private static Dictionary<string, NamedArray> ReadEntries(
        ZipArchive archive, long length, string path, Func<string, long> most, Action<string, string>? other)
    {
        Exception Fail(string what) => new DataException($"'{path}' is not a sound .npz file: {what}; save it again with numpy.savez.");
        (string Name, ZipArchiveEntry Entry)[] wanted =
        [
            .. archive.Entries.Where(entry => entry.FullName.EndsWith(Extension, StringComparison.Ordinal))
                .Select(entry => (entry.FullName[..^Extension.Length], entry)).Where(item => most(item.Item1) > 0),
        ];
        Int128 unpacked = wanted.Aggregate(Int128.Zero, (sum, item) => sum + item.Entry.Length);
        if (Unpacking.TooMuch(unpacked, length) is { } reason) throw Fail(reason);
        var arrays = new Dictionary<string, NamedArray>(StringComparer.Ordinal);
        foreach (var (name, entry) in wanted)
        {
            if (entry.Length > most(name)) throw Fail($"array '{name}' has {entry.Length} bytes where at most {most(name)} can be needed");
            string where = $"Array '{name}' in '{path}'";
            if (other is not null && HeaderOf(entry, where) is { Type: null } header)
            {
                other(name, header.NumpyName);
                continue;
            }
            NamedArray array = Unpacking.ReadMember(entry, stream => Npy.Read(stream, name, entry.Length, where), Fail);
            if (!arrays.TryAdd(name, array))
                throw new DataException($"'{path}' holds two arrays called '{name}': save it again with numpy.savez.");
        }

        return arrays;
    }

    internal static NpyHeader HeaderOf(ZipArchiveEntry entry, string where)
    {
        using Stream stream = entry.Open();
        return Npy.ReadHeader(stream, where).Header;
    }

    private static void WriteEntry(ZipArchive archive, NamedArray array, bool compress)
    {
        CompressionLevel level = compress ? CompressionLevel.Optimal : CompressionLevel.NoCompression;
        ZipArchiveEntry entry = archive.CreateEntry(array.Name + Extension, level);
        entry.LastWriteTime = _noTime;
        using Stream stream = entry.Open();
        Npy.Write(stream, array);
    }
}
