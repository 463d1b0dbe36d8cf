namespace Rpat.Formats.Weights;

/// <summary>One tensor of a weight file.</summary>
/// <param name="Name">Its name in the file.</param>
/// <param name="Type">The element type; null for one that cannot be read.</param>
/// <param name="Shape">The sizes, slowest first; empty for a scalar.</param>
/// <param name="OtherType">The file's name for a type that cannot be read.</param>
public sealed record WeightEntry(string Name, ElementType? Type, long[] Shape, string? OtherType = null)
{
    /// <summary>The element type for messages, such as <c>f32</c> or <c>f8_e4m3</c>.</summary>
    public string TypeName => (Type?.ToString() ?? OtherType ?? "?").ToLowerInvariant();
}

/// <summary>
/// A weight file of any supported kind: safetensors, PyTorch's zip, stream and tar checkpoints (state dicts, whole modules, TorchScript),
/// Python pickles of numpy arrays, .npz and .npy. Nothing in a file is ever executed, and memory stays within a small multiple of the
/// file's size. Tensors are read on demand.
/// </summary>
public abstract class WeightFile : IDisposable
{
    internal WeightFile(string path, string kind) => (Path, Kind) = (path, kind);

    /// <summary>The path as given.</summary>
    public string Path { get; }

    /// <summary>What the file is, such as <c>PyTorch zip checkpoint</c>.</summary>
    public string Kind { get; }

    /// <summary>The tensors in the order of the file; names differ.</summary>
    public abstract IReadOnlyList<WeightEntry> Tensors { get; }

    /// <summary>Numbers and short texts stored with the tensors, such as the epoch.</summary>
    public virtual IReadOnlyList<KeyValuePair<string, string>> Values => [];

    /// <summary>The writer's free text by name (safetensors); empty for all other kinds.</summary>
    public virtual IReadOnlyDictionary<string, string> Metadata => new Dictionary<string, string>();

    /// <summary>What a user should know about how the file was read, each without a full stop.</summary>
    public virtual IReadOnlyList<string> Notes => [];

    /// <summary>Opens a file; its first bytes determine its kind, not its name.</summary>
    /// <param name="key">The prefix of the part to take, such as <c>ema</c>; null or empty for everything.</param>
    /// <exception cref="CheckpointException">The file is missing, damaged, of no supported kind, or has no such part.</exception>
    public static WeightFile Open(string path, string? key = null)
    {
        FileReader reader = FileReader.Open(path, (message, cause) => new CheckpointException(message, cause));
        try
        {
            WeightFile file = Open(reader);
            return string.IsNullOrEmpty(key) ? file : new PartOfFile(file, key);
        }
        catch (Exception error)
        {
            reader.Dispose();
            if (error is DataException) throw new CheckpointException(error.Message, error);
            throw;
        }
    }

    /// <summary>Reads a tensor.</summary>
    /// <param name="name">One of the names of <see cref="Tensors"/>.</param>
    /// <exception cref="CheckpointException">There is no such tensor, its type is not supported, or the file cannot be read.</exception>
    public abstract NamedArray Load(string name);

    /// <summary>All tensors, for <see cref="Module.Load(IEnumerable{NamedArray})"/>, each read when it is asked for: use them before
    /// the file is closed.</summary>
    /// <inheritdoc cref="Load"/>
    public IEnumerable<NamedArray> State() => Tensors.Select(tensor => Load(tensor.Name));

    /// <summary>Closes the file.</summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Closes the file.</summary>
    protected abstract void Dispose(bool disposing);

    private static WeightFile Open(FileReader reader)
    {
        byte[] start = new byte[Math.Min(512, reader.Length)];
        reader.ReadExactly(0, start);
        string path = reader.Path;
        if (start.AsSpan().StartsWith("PK\x03\x04"u8)) return OpenZip(reader);
        if (TorchStream.Matches(start)) return new TorchWeights(new TorchStream(reader));
        if (TorchTar.Matches(start)) return new TorchWeights(new TorchTar(reader));
        if (start.AsSpan().StartsWith(NpyHeader.Magic)) return OneArray(reader);
        if (start.Length > 8 && start[8] == '{') return OpenSafetensors(reader);
        if (BarePickle.Matches(start)) return new TorchWeights(new BarePickle(reader));
        throw UnknownKind.Of(path, start);
    }

    private static SafetensorsWeights OpenSafetensors(FileReader reader)
    {
        reader.Dispose();
        SafetensorsFile file = Safetensors.Read(reader.Path);
        try
        {
            file.CheckDigest();
            return new SafetensorsWeights(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private static WeightFile OpenZip(FileReader reader)
    {
        string path = reader.Path;
        reader.Dispose();
        return NpzWeights.TryOpen(path) is { } arrays ? arrays : new TorchWeights(TorchZip.Open(path));
    }

    private static ArrayWeights OneArray(FileReader reader)
    {
        reader.Dispose();
        return new ArrayWeights(Npy.Read(reader.Path), reader.Path);
    }
}
