namespace Rpat.Training.Runs;

/// <summary>The run's <c>log.txt</c>: what the console showed, each line with its time. Usable from any thread.</summary>
internal sealed class RunLog : TextWriter
{
    /// <summary>The log's name in the run's folder.</summary>
    public const string FileName = "log.txt";

    private readonly Lock _lock = new();
    private readonly StreamWriter _file;
    private readonly TimeProvider _clock;

    /// <summary>Opens the log for appending.</summary>
    /// <exception cref="IOException">The file cannot be opened.</exception>
    public RunLog(string path, TimeProvider clock)
        : base(CultureInfo.InvariantCulture)
    {
        _clock = clock;
        _file = new StreamWriter(AtomicFile.OpenToGrow(path, FileShare.ReadWrite)) { AutoFlush = true, NewLine = "\n" };
    }

    /// <inheritdoc/>
    public override Encoding Encoding => _file.Encoding;

    /// <inheritdoc/>
    public override void Write(char value)
    {
        lock (_lock) _file.Write(value);
    }

    /// <summary>Writes one line, with the local time before it.</summary>
    public override void WriteLine(string? value)
    {
        string time = _clock.GetLocalNow().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
        lock (_lock) Try(() => _file.WriteLine($"{time}  {value}"));
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing) Try(_file.Dispose);
        base.Dispose(disposing);
    }

    private static void Try(Action write)
    {
        try
        {
            write();
        }
        catch (IOException)
        {
            // On a full disk, the checkpoints and the metrics stop the run and say so; a missing log line must not hide that.
        }
    }
}
