using System.Numerics;

namespace Rpat.Formats.PyTorch;

/// <summary>
/// The format of 2018 to 2020: five pickles one after another (magic number, version, system, object graph, names of the storages),
/// then for each storage its number of elements and the elements.
/// </summary>
internal sealed class TorchStream : TorchArchive
{
    private const long Version = 1001;
    private const int FrameHead = 9;

    private static readonly BigInteger _magic = BigInteger.Parse("119547037146038801333356",
        System.Globalization.CultureInfo.InvariantCulture);

    private readonly FileReader _file;
    private readonly Dictionary<string, int> _sizes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (long Offset, long Length)> _storages = new(StringComparer.Ordinal);

    /// <summary>Opens a file that begins with the magic number.</summary>
    /// <exception cref="CheckpointException">It is damaged.</exception>
    public TorchStream(FileReader file) : base(file.Path, "PyTorch stream checkpoint", file.Length)
    {
        _file = file;
        using var stream = RegularFile.Open(file.Path);
        var source = new PickleSource(stream, file.Length, Fail);
        ReadHeader(source);
        Root = Unpickle(source, Persistent);
        ReadStorages(source, Unpickle(source, NoPersistent));
    }

    /// <summary>Whether a file begins as this format does.</summary>
    public static bool Matches(ReadOnlySpan<byte> start)
    {
        if (start.StartsWith("L119547037146038801333356L\n."u8)) return true; // protocol 1
        if (start.Length < 2 || start[0] != 0x80 || start[1] is < 2 or > 5) return false;
        start = start[2..];
        if (start.Length > FrameHead && start[0] == 0x95) start = start[FrameHead..]; // protocols 4 and 5 begin with a frame's length
        return start.StartsWith((byte[])[0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E]);
    }

    public override byte[] Read(string key, long start, long count)
    {
        if (!_storages.TryGetValue(key, out var place)) throw Fail($"storage '{key}' is missing");
        if (!Within(start, count, place.Length)) throw Fail($"storage '{key}' has {place.Length} bytes where {start + count} are used");
        byte[] bytes = new byte[count];
        _file.ReadExactly(place.Offset + start, bytes);
        return bytes;
    }

    public override void Dispose() => _file.Dispose();

    private void ReadHeader(PickleSource source)
    {
        if (Unpickle(source, NoPersistent) is not BigInteger magic || magic != _magic) throw Fail("its magic number is wrong");
        if (Unpickle(source, NoPersistent) is not Version) throw Fail("its version is not 1001");
        if (Unpickle(source, NoPersistent) is PickleDict system && system.Find("little_endian") is false)
            throw Fail("its numbers are big-endian");
    }

    private void ReadStorages(PickleSource source, object? names)
    {
        if (names is not PickleList list) throw Fail("the names of its storages are missing");
        foreach (object? name in list.Items)
        {
            string key = Key(name);
            if (!_sizes.TryGetValue(key, out int size)) throw Fail($"storage '{key}' belongs to no tensor");
            long count = source.ReadInt64();
            if (count < 0 || count > source.Remaining / size)
                throw Fail($"storage '{key}' has {count} elements where {source.Remaining} bytes are left");
            _storages[key] = (source.Position, count * size);
            source.Skip(count * size);
        }
    }

    // ("storage", class, key, location, number of elements, None or (view key, first element, number)); ("module", class, ...)
    private object? Persistent(object? id)
    {
        if (id is PickleTuple { Items: ["module", var module, ..] }) return module;
        if (id is not PickleTuple { Items: ["storage", var type, var key, _, long count, ..] items }) return new PickleObject(null, id);
        bool isKnown = TorchTypes.TryClass(type, "Storage", out var element);
        string root = Key(key);
        _sizes[root] = isKnown ? element?.Size() ?? 1
            : TorchTypes.SizeOfOther(type) ?? throw Fail($"storage '{root}' is of an unknown kind");
        if (!isKnown) return new PickleObject(type, id);
        bool isView = items.Count > 5 && items[5] is PickleTuple;
        StorageRef storage = isView && items[5] is PickleTuple { Items: [_, long start, long part] }
            ? new StorageRef(root, element, start, part)
            : new StorageRef(root, element, 0, count);
        if (storage.Start < 0 || storage.Count < 0 || storage.Start > long.MaxValue / 32)
            throw Fail($"storage '{root}' has an impossible size");
        return storage;
    }
}
