using System.IO.Compression;

namespace Rpat.Formats.Weights;

/// <summary>The one array of an .npy file.</summary>
internal sealed class ArrayWeights(NamedArray array, string path) : WeightFile(path, "NumPy array")
{
    public override IReadOnlyList<WeightEntry> Tensors { get; } = [new WeightEntry(array.Name, array.Type, array.Shape)];

    public override NamedArray Load(string name) => name == array.Name
        ? array
        : throw new CheckpointException($"'{Path}' has no array '{name}': check that the file belongs to this model.");

    protected override void Dispose(bool disposing)
    {
    }
}

/// <summary>
/// The arrays of an .npz file. Each is unpacked on demand, so that arrays of objects or texts, and large ones that belong to no
/// network, do no harm unless they are loaded.
/// </summary>
internal sealed class NpzWeights : WeightFile
{
    private readonly ZipArchive _archive;
    private readonly Unpacking.Budget _budget;
    private readonly Dictionary<string, ZipArchiveEntry> _members = new(StringComparer.Ordinal);
    private readonly List<WeightEntry> _entries = [];

    private NpzWeights(string path, ZipArchive archive, long length) : base(path, "NumPy archive")
    {
        (_archive, _budget) = (archive, new Unpacking.Budget(length, spare: 1 << 20));
        foreach (ZipArchiveEntry member in archive.Entries.Where(IsArray)) Add(member.FullName[..^Npz.Extension.Length], member);
    }

    public override IReadOnlyList<WeightEntry> Tensors => _entries;

    /// <summary>Opens a zip that has arrays and no pickle; null for any other.</summary>
    /// <exception cref="CheckpointException">It is damaged, or has two arrays of one name.</exception>
    public static NpzWeights? TryOpen(string path) => Guarded(path, () =>
    {
        FileStream file = RegularFile.Open(path);
        ZipArchive? archive = null;
        try
        {
            archive = new ZipArchive(file);
            bool isOther = !archive.Entries.Any(IsArray)
                || archive.Entries.Any(entry => entry.FullName.EndsWith("data.pkl", StringComparison.Ordinal));
            if (!isOther) return new NpzWeights(path, archive, file.Length);
            archive.Dispose();
            return null;
        }
        catch
        {
            archive?.Dispose();
            file.Dispose();
            throw;
        }
    });

    public override NamedArray Load(string name)
    {
        if (!_members.TryGetValue(name, out ZipArchiveEntry? member))
            throw new CheckpointException($"'{Path}' has no array '{name}': check that the file belongs to this model.");
        if (_entries.Find(entry => entry.Name == name) is { Type: null } other) throw UnknownKind.OfElements(Path, name, other.OtherType!);
        if (_budget.Spend(member) is { } reason) throw Unsound(reason);
        return Guarded(Path, () => Unpacking.ReadMember(member, stream => Npy.Read(stream, name, member.Length, Where(name)), Unsound));
    }

    protected override void Dispose(bool disposing) => _archive.Dispose();

    private static bool IsArray(ZipArchiveEntry entry) => entry.FullName.EndsWith(Npz.Extension, StringComparison.Ordinal);

    private void Add(string name, ZipArchiveEntry member)
    {
        if (!_members.TryAdd(name, member)) throw Unsound($"it holds two arrays called '{name}'");
        NpyHeader header = Npz.HeaderOf(member, Where(name));
        _entries.Add(new WeightEntry(name, header.Type, header.Shape, header.Type is null ? header.NumpyName : null));
    }

    private string Where(string name) => $"Array '{name}' in '{Path}'";

    private CheckpointException Unsound(string what) => new($"'{Path}' is not a sound .npz file: {what}; save it again with numpy.savez.");

    private static T Guarded<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (DataException error)
        {
            throw new CheckpointException(error.Message, error);
        }
        catch (Exception error) when (TorchZip.IsDamage(error))
        {
            throw new CheckpointException($"'{path}' is not a sound zip file ({error.Message.TrimEnd('.')}): download or save it again.",
                error);
        }
    }
}
