using System.IO.Compression;

namespace Rpat.Formats.PyTorch;

/// <summary>
/// The zip format (torch 1.6 and later, also TorchScript): <c>NAME/data.pkl</c> and the storages <c>NAME/data/KEY</c>, usually
/// without compression.
/// </summary>
internal sealed class TorchZip : TorchArchive
{
    private const string Pickle = "data.pkl";
    private const long MaxPickle = 256 << 20;

    private readonly ZipArchive _archive;
    private readonly string _folder;
    private readonly Unpacking.Budget _budget;
    private (string Key, byte[] Data)? _last; // many small tensors may share one storage

    private TorchZip(string path, FileStream file, ZipArchive archive) : base(path, "PyTorch zip checkpoint", file.Length)
    {
        (_archive, _budget) = (archive, new Unpacking.Budget(Length, spare: 1 << 14));
        ZipArchiveEntry pickle = Single();
        _folder = pickle.FullName[..^Pickle.Length];
        CheckByteOrder();
        byte[] graph = Bytes(pickle, MaxPickle);
        Root = Unpickle(new PickleSource(new MemoryStream(graph), graph.Length, Fail), Persistent);
    }

    /// <summary>Opens a file that is known to be a zip.</summary>
    /// <exception cref="CheckpointException">It is damaged, or contains no checkpoint.</exception>
    public static TorchZip Open(string path)
    {
        FileStream file = RegularFile.Open(path);
        ZipArchive? archive = null;
        try
        {
            archive = new ZipArchive(file, ZipArchiveMode.Read);
            return new TorchZip(path, file, archive);
        }
        catch (Exception error)
        {
            archive?.Dispose();
            file.Dispose();
            if (!IsDamage(error)) throw;
            throw new CheckpointException($"'{path}' is not a sound zip file ({error.Message.TrimEnd('.')}): download or save it again.",
                error);
        }
    }

    public override byte[] Read(string key, long start, long count)
    {
        if (_last is { } kept && kept.Key == key) return Slice(key, kept.Data, start, count);
        ZipArchiveEntry entry = _archive.GetEntry($"{_folder}data/{key}") ?? throw Fail($"storage '{key}' is missing");
        if (!Within(start, count, entry.Length)) throw Short(key, entry.Length, start + count);
        byte[] whole = Guarded(() => Bytes(entry, Array.MaxLength));
        if (count < whole.Length) _last = (key, whole);
        return Slice(key, whole, start, count);
    }

    public override void Dispose() => _archive.Dispose();

    /// <summary>Whether it is what the base library's zip and tar readers throw at damaged files.</summary>
    public static bool IsDamage(Exception error) => error is InvalidDataException or IOException or NotSupportedException
        or ArgumentException or OverflowException or FormatException or IndexOutOfRangeException or ObjectDisposedException;

    private byte[] Slice(string key, byte[] whole, long start, long count)
    {
        if (!Within(start, count, whole.Length)) throw Short(key, whole.Length, start + count);
        return start == 0 && count == whole.Length ? whole : whole.AsSpan((int)start, (int)count).ToArray();
    }

    private CheckpointException Short(string key, long found, long wanted) =>
        Fail($"storage '{key}' has {found} bytes where {wanted} are used");

    private ZipArchiveEntry Single()
    {
        if (UnknownKind.OfZip(Path, _archive) is { } other) throw other;
        ZipArchiveEntry[] found = [.. _archive.Entries.Where(
            e => e.FullName == Pickle || e.FullName.EndsWith("/" + Pickle, StringComparison.Ordinal))];
        return found.Length == 1 ? found[0] : throw Fail($"it holds {found.Length} members '{Pickle}' where one is expected");
    }

    private void CheckByteOrder()
    {
        if (_archive.GetEntry(_folder + "byteorder") is { } entry && Encoding.ASCII.GetString(Bytes(entry, 16)) != "little")
            throw Fail("its numbers are big-endian");
    }

    // Compressed or overlapping members could be far larger than the file: torch writes neither, but a tool that repacks may.
    private byte[] Bytes(ZipArchiveEntry entry, long most)
    {
        if (_budget.Spend(entry) is { } reason) throw Fail(reason);
        if (entry.Length > most) throw Fail($"member '{entry.FullName}' has {entry.Length} bytes where at most {most} are read");
        return Unpacking.ReadMember(entry, stream => StreamReading.ReadUpTo(stream, (int)entry.Length), Fail, zeroIsNoSum: true);
    }

    private T Guarded<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception error) when (IsDamage(error))
        {
            throw Fail(error.Message.TrimEnd('.'), error);
        }
    }

    // ("storage", class, key, location, number of elements)
    private object? Persistent(object? id)
    {
        if (id is not PickleTuple { Items: ["storage", var type, var key, _, long count, ..] }) return new PickleObject(null, id);
        if (!TorchTypes.TryClass(type, "Storage", out var element)) return new PickleObject(type, id);
        if (count < 0) throw Fail($"storage '{Key(key)}' has {count} elements");
        return new StorageRef(Key(key), element, 0, count);
    }
}
