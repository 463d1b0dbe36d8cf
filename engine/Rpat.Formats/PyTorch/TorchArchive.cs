namespace Rpat.Formats.PyTorch;

/// <summary>An open checkpoint in one of PyTorch's formats: its object graph, and its storages, read on demand.</summary>
internal abstract class TorchArchive(string path, string kind, long length) : IDisposable
{
    // Objects of real checkpoints take less than twice the file's size, lists of small numbers four times.
    private const long MostHeld = 12;
    private const long AlwaysHeld = 256 << 10;
    private const int MostUnknown = 1000; // names; an archive may have a pickle per tensor

    private readonly HashSet<string> _unknown = new(StringComparer.Ordinal);
    private long _held;

    /// <summary>The path as given.</summary>
    public string Path { get; } = path;

    /// <summary>What the file is, for messages.</summary>
    public string Kind { get; } = kind;

    /// <summary>Bytes of the file.</summary>
    public long Length { get; } = length;

    /// <summary>The unpickled object.</summary>
    public object? Root { get; protected set; }

    /// <summary>Classes and functions in the file that became inert records.</summary>
    public IReadOnlyCollection<string> Unknown => _unknown;

    /// <summary>Steps that the pickles took: a bound for walks through the graph.</summary>
    public long Work { get; private set; }

    /// <summary>Reads a part of a root storage.</summary>
    /// <param name="count">Number of bytes.</param>
    /// <exception cref="CheckpointException">The file does not have these bytes.</exception>
    public abstract byte[] Read(string key, long start, long count);

    public abstract void Dispose();

    public CheckpointException Fail(string what, Exception? cause = null) =>
        new($"'{Path}' is not a sound {Kind}: {what}; download or save it again.", cause);

    /// <summary>Runs one pickle.</summary>
    protected object? Unpickle(PickleSource source, Func<object?, object?> persistent, long maxWork = PickleMachine.MaxWork)
    {
        var machine = new PickleMachine(source, persistent, MostHeld * Length + AlwaysHeld - _held, maxWork);
        object? value = machine.Run();
        Work += machine.Work;
        _held += machine.Held;
        _unknown.UnionWith(machine.Unknown.Take(MostUnknown - _unknown.Count));
        return value;
    }

    protected CheckpointException Fail(string what) => Fail(what, null);

    protected static object? NoPersistent(object? id) => new PickleObject(null, id);

    /// <summary>A key that may be a text or a number.</summary>
    protected string Key(object? key) => key switch
    {
        string text => text,
        long number => number.ToString(System.Globalization.CultureInfo.InvariantCulture),
        _ => throw Fail("a storage has no name"),
    };

    /// <summary>Whether bytes [start, start + count) lie within a length.</summary>
    protected static bool Within(long start, long count, long length) => start >= 0 && count >= 0 && start <= length - count;
}
