using System.IO.Compression;

namespace Rpat.Engine.IO;

/// <summary>NumPy's .npz format: a zip of .npy entries, stored or deflated.</summary>
public static class Npz
{
    private const string Extension = ".npy";

    // The earliest time that a zip entry can hold; the true time would make equal contents differ.
    private static readonly DateTimeOffset _noTime = new(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Reads the arrays of a file by name.</summary>
    /// <param name="path">The .npz file.</param>
    /// <param name="wanted">Chooses the arrays to read; all when null. Entries that are not .npy are passed over.</param>
    /// <exception cref="DataException">The file is missing, damaged or cut short, or holds a name twice.</exception>
    public static IReadOnlyDictionary<string, NamedArray> Read(string path, Predicate<string>? wanted = null)
    {
        using (FileReader.OpenData(path))
        {
            try
            {
                using ZipArchive archive = ZipFile.OpenRead(path);
                return ReadEntries(archive, path, wanted ?? (_ => true));
            }
            catch (Exception error) when (error is InvalidDataException or IOException or NotSupportedException or ArgumentException)
            {
                throw new DataException(
                    $"'{path}' is not a sound .npz file ({error.Message.TrimEnd('.')}): save it again with numpy.savez.", error);
            }
        }
    }

    /// <summary>Writes a file as one step; the same arrays in the same order give the same bytes.</summary>
    /// <param name="path">The file to make or replace.</param>
    /// <param name="arrays">The arrays; names must differ.</param>
    /// <param name="compress">Deflates the entries; stores them when false.</param>
    /// <exception cref="ArgumentException">A name occurs twice.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(string path, IReadOnlyList<NamedArray> arrays, bool compress = true)
    {
        if (arrays.Select(a => a.Name).Distinct(StringComparer.Ordinal).Count() != arrays.Count)
            throw new ArgumentException("Two arrays of an .npz file have the same name: give every array its own name.", nameof(arrays));
        AtomicFile.Write(path, stream =>
        {
            using var archive = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true);
            foreach (NamedArray array in arrays) WriteEntry(archive, array, compress);
        });
    }

    private static Dictionary<string, NamedArray> ReadEntries(ZipArchive archive, string path, Predicate<string> wanted)
    {
        var arrays = new Dictionary<string, NamedArray>(StringComparer.Ordinal);
        foreach (ZipArchiveEntry entry in archive.Entries)
        {
            if (!entry.FullName.EndsWith(Extension, StringComparison.Ordinal)) continue;
            string name = entry.FullName[..^Extension.Length];
            if (!wanted(name)) continue;
            using Stream stream = entry.Open();
            if (!arrays.TryAdd(name, Npy.Read(stream, name, entry.Length, $"Array '{name}' in '{path}'")))
                throw new DataException($"'{path}' holds two arrays called '{name}': save it again with numpy.savez.");
        }

        return arrays;
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
