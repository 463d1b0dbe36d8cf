namespace Rpat.Formats.PyTorch;

/// <summary>
/// The format of 2016 to 2018: a tar with the members <c>storages</c> (each a pickled description and its data), <c>tensors</c>
/// (likewise, with sizes and strides) and <c>pickle</c>, the object graph, whose persistent ids refer to tensors.
/// </summary>
internal sealed class TorchTar : TorchArchive
{
    private const int Block = 512;

    private readonly FileReader _file;
    private readonly Dictionary<string, (long Offset, long Length)> _data = new(StringComparer.Ordinal);
    private readonly Dictionary<string, StorageRef> _storages = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TensorRef> _tensors = new(StringComparer.Ordinal);

    /// <summary>Opens a file that is known to be a tar.</summary>
    /// <exception cref="CheckpointException">It is damaged, or contains no checkpoint.</exception>
    public TorchTar(FileReader file) : base(file.Path, "PyTorch tar checkpoint", file.Length)
    {
        _file = file;
        using var stream = RegularFile.Open(file.Path);
        var members = Members();
        ReadStorages(Source(stream, members, "storages"));
        ReadTensors(Source(stream, members, "tensors"));
        Root = Unpickle(Source(stream, members, "pickle"), Persistent);
    }

    /// <summary>Whether a file begins as a tar does.</summary>
    public static bool Matches(ReadOnlySpan<byte> start) => start.Length >= 262 && start.Slice(257, 5).SequenceEqual("ustar"u8);

    public override byte[] Read(string key, long start, long count)
    {
        if (!_data.TryGetValue(key, out var place)) throw Fail($"storage '{key}' is missing");
        if (!Within(start, count, place.Length)) throw Fail($"storage '{key}' has {place.Length} bytes where {start + count} are used");
        byte[] bytes = new byte[count];
        _file.ReadExactly(place.Offset + start, bytes);
        return bytes;
    }

    public override void Dispose() => _file.Dispose();

    // Walks the headers alone: 512 bytes each, name at 0, size in octal at 124, followed by the data, padded to 512.
    private Dictionary<string, (long Offset, long Length)> Members()
    {
        var members = new Dictionary<string, (long, long)>(StringComparer.Ordinal);
        Span<byte> header = stackalloc byte[Block];
        for (long at = 0; at <= Length - Block;)
        {
            _file.ReadExactly(at, header);
            if (header[0] == 0) break;
            string name = Text(header[..100]);
            long size = Octal(header.Slice(124, 12), name);
            at += Block;
            if (!Within(at, size, Length)) throw Fail($"member '{name}' ends behind the file");
            members[name.StartsWith("./", StringComparison.Ordinal) ? name[2..] : name] = (at, size);
            at += (size + Block - 1) / Block * Block;
        }
        return members;
    }

    private long Octal(ReadOnlySpan<byte> digits, string name)
    {
        long value = 0;
        foreach (char digit in Text(digits).Trim())
            value = digit is >= '0' and <= '7' ? 8 * value + (digit - '0')
                : throw Fail($"the size of member '{name}' is not an octal number");
        return value;
    }

    private static string Text(ReadOnlySpan<byte> field)
    {
        int end = field.IndexOf((byte)0);
        return Encoding.Latin1.GetString(end < 0 ? field : field[..end]);
    }

    private PickleSource Source(FileStream stream, Dictionary<string, (long Offset, long Length)> members, string name)
    {
        if (!members.TryGetValue(name, out var place)) throw Fail($"its tar has no member '{name}'");
        stream.Position = place.Offset;
        return new PickleSource(stream, place.Offset + place.Length, Fail);
    }

    // n, then n times (key, location, class), number of elements, elements; then views (key, root key, first element, number).
    private void ReadStorages(PickleSource source)
    {
        for (long left = Number(source); left > 0; left--)
        {
            if (Unpickle(source, NoPersistent) is not PickleTuple { Items: [var name, _, var type, ..] }
                || !TorchTypes.TryClass(type, "Storage", out var element) || element is not { } known)
                throw Fail("a storage is of an unknown kind");
            string key = Key(name);
            long count = source.ReadInt64();
            if (count < 0 || count > source.Remaining / known.Size())
                throw Fail($"storage '{key}' has {count} elements where {source.Remaining} bytes are left");
            _data[key] = (source.Position, count * known.Size());
            _storages[key] = new StorageRef(key, known, 0, count);
            source.Skip(count * known.Size());
        }
        foreach (object? view in Views(source)) AddView(view);
    }

    private IReadOnlyList<object?> Views(PickleSource source) =>
        source.Remaining > 0 && Unpickle(source, NoPersistent) is PickleList views ? views.Items : [];

    private void AddView(object? view)
    {
        if (view is not PickleTuple { Items: [var name, var root, long start, long count] }
            || !_storages.TryGetValue(Key(root), out var storage)
            || !Within(start, count, storage.Count))
            throw Fail("a view lies outside its storage");
        _storages[Key(name)] = storage with { Start = storage.Start + start, Count = count };
    }

    // n, then n times (key, storage key, class), number of dimensions (i32), 4 bytes, sizes, strides, first element.
    private void ReadTensors(PickleSource source)
    {
        for (long left = Number(source); left > 0; left--)
        {
            if (Unpickle(source, NoPersistent) is not PickleTuple { Items: [var name, var root, ..] }) throw Fail("a tensor has no name");
            int rank = source.ReadInt32();
            source.Skip(4);
            if (rank is < 0 or > ArrayShape.MaxRank) throw Fail($"tensor '{Key(name)}' has {rank} dimensions");
            long[] shape = Integers(source, rank), strides = Integers(source, rank);
            long offset = source.ReadInt64();
            // A tensor without elements may have no storage.
            if (_storages.TryGetValue(Key(root), out var storage))
                _tensors[Key(name)] = TorchCalls.Make(storage, storage.Type!.Value, offset, shape, strides, Fail);
        }
    }

    private long Number(PickleSource source) =>
        Unpickle(source, NoPersistent) is long number ? number : throw Fail("a number of items is missing");

    private static long[] Integers(PickleSource source, int count)
    {
        var values = new long[count];
        for (int i = 0; i < count; i++) values[i] = source.ReadInt64();
        return values;
    }

    private object? Persistent(object? id)
    {
        if (id is PickleTuple { Items: [var type, ..] }) return type; // a module: its class, file and source
        return id is string or long && _tensors.TryGetValue(Key(id), out var tensor) ? tensor : new PickleObject(null, id);
    }
}
