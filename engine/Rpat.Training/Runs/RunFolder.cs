namespace Rpat.Training.Runs;

/// <summary>
/// The folder of one run: <c>OUT/yyyyMMdd-HHmm-NAME</c>. An existing folder is never deleted, reused or asked about; a number is appended
/// instead. Only one process at a time has it open.
/// </summary>
internal sealed class RunFolder : IDisposable
{
    /// <summary>The resolved configuration's name in the folder.</summary>
    public const string ConfigName = "config.yaml";

    /// <summary>The name of the file with the run's warnings, one per line.</summary>
    public const string WarningsName = "warnings.txt";

    /// <summary>The name of the file that a process holds while it has the run open.</summary>
    public const string LockName = ".lock";

    private const int MaxNumber = 10_000;

    private readonly SortedDictionary<string, AppendOnlyFile> _growing = new(StringComparer.Ordinal);
    private readonly FileStream _lock;

    private RunFolder(string path, TimeProvider clock, bool resumed)
    {
        (Path, IsResumed) = (path, resumed);
        if (RunContents.FirstLink(path) is { } link)
            throw new IOException($"'{link}' is a link out of the run, over which nothing is written: put the file or folder itself there");
        _lock = Lock();
        if (resumed) RemoveHalfWritten();
        Metrics = new MetricsLog(OpenAppend(MetricsLog.EventsName), PathOf(MetricsLog.TableName));
        Log = new RunLog(PathOf(RunLog.FileName), clock);
        if (File.Exists(PathOf(WarningsName))) OpenAppend(WarningsName);
    }

    /// <summary>The folder, as a full path.</summary>
    public string Path { get; }

    /// <summary>Whether an earlier process began the run.</summary>
    public bool IsResumed { get; }

    /// <summary>The folder as a user would type it: relative to the current folder if it is below it.</summary>
    public string ShownPath => RunFinder.Shown(Path);

    /// <summary>What is trained in it; a resume that changes it writes it down when it has been accepted.</summary>
    public RunPlan? Plan { get; set; }

    /// <summary>The run's metrics.</summary>
    public MetricsLog Metrics { get; }

    /// <summary>The run's text log.</summary>
    public RunLog Log { get; }

    /// <summary>The full path of a file in this folder.</summary>
    public string PathOf(string file) => System.IO.Path.Combine(Path, file);

    /// <summary>Makes the folder, points <c>latest</c> at it and writes its <c>config.yaml</c>.</summary>
    /// <exception cref="UsageException">The folder cannot be made or written to.</exception>
    public static RunFolder Create(ResolvedConfig resolved, TimeProvider clock)
    {
        string root = resolved.Config.Run.Out, path = "";
        try
        {
            AtomicFile.MakeFolder(root);
            string stamp = clock.GetLocalNow().ToString("yyyyMMdd-HHmm", CultureInfo.InvariantCulture);
            path = Claim(System.IO.Path.GetFullPath(root), $"{stamp}-{resolved.Config.RunName}");
            AtomicFile.WriteText(System.IO.Path.Combine(path, ConfigName), ConfigWriter.Write(resolved));
            var folder = new RunFolder(path, clock, resumed: false);
            LatestLink.Point(root, System.IO.Path.GetFileName(path));
            return folder;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            if (path.Length > 0) Directory.Delete(path, recursive: true);
            string reason = (error.InnerException ?? error).Message.TrimEnd('.');
            throw new UsageException($"no run folder can be made in '{root}' ({reason}): choose another folder as run.out.", error);
        }
    }

    /// <summary>Opens the folder of an earlier run to resume it; nothing in it is changed yet.</summary>
    /// <exception cref="UsageException">Another process has it open, or it cannot be written to.</exception>
    public static RunFolder Reopen(string path, TimeProvider clock)
    {
        try
        {
            return new RunFolder(System.IO.Path.GetFullPath(path), clock, resumed: true);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            string reason = error.Message.TrimEnd('.');
            throw new UsageException(
                $"run folder '{path}' cannot be resumed ({reason}): check that no other process or job has it open and that it is "
                    + "writable.", error);
        }
    }

    /// <summary>Writes the resolved configuration again.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void WriteConfig(ResolvedConfig resolved) => AtomicFile.WriteText(PathOf(ConfigName), ConfigWriter.Write(resolved));

    /// <summary>
    /// Opens an append-only file of this folder, under a name such as <c>tb/events</c>; it is truncated when the run resumes or is rolled
    /// back.
    /// </summary>
    /// <exception cref="IOException">The file cannot be opened.</exception>
    public AppendOnlyFile OpenAppend(string name)
    {
        if (_growing.TryGetValue(name, out var open)) return open;
        AtomicFile.MakeFolder(System.IO.Path.GetDirectoryName(PathOf(name))!);
        return _growing[name] = new AppendOnlyFile(PathOf(name));
    }

    /// <summary>Stores a warning with the run.</summary>
    public void Warn(string line) => OpenAppend(WarningsName).Append(Encoding.UTF8.GetBytes(line + "\n"));

    /// <summary>
    /// The length of each append-only file; flushed to the disk before this returns, so that no checkpoint is ahead of them.
    /// </summary>
    public IReadOnlyDictionary<string, long> Lengths()
    {
        foreach (var file in _growing.Values) file.FlushToDisk();
        return _growing.ToDictionary(pair => pair.Key, pair => pair.Value.Length);
    }

    /// <summary>Restores the folder to when its append-only files had these lengths; those not named did not exist.</summary>
    /// <exception cref="IOException">A file is shorter than that, or cannot be changed.</exception>
    public void CutBack(IReadOnlyDictionary<string, long> lengths)
    {
        foreach (var (name, file) in _growing) file.TruncateTo(lengths.GetValueOrDefault(name));
        Metrics.Reload();
    }

    /// <summary>Closes all files of the run.</summary>
    public void Dispose()
    {
        foreach (var file in _growing.Values) file.Dispose();
        Log.Dispose();
        _lock.Dispose();
    }

    /// <summary>Whether a process has a run open.</summary>
    public static bool IsOpen(string path)
    {
        string file = System.IO.Path.Combine(path, LockName);
        if (!RegularFile.Exists(file, followLink: false)) return false;
        try
        {
            new FileStream(file, FileMode.Open, FileAccess.ReadWrite, FileShare.None, bufferSize: 1).Dispose();
            return false;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return true;
        }
    }

    // The lock is held, so their writer is dead. Evaluations have their own folders, in which another process may be working.
    private void RemoveHalfWritten()
    {
        string[] folders = [Path, .. new[] { RunContents.CheckpointFolder, "images" }.Select(PathOf)];
        foreach (var (half, _) in RunContents.HalfWritten(Path).ToList())
            if (folders.Contains(System.IO.Path.GetDirectoryName(half))) File.Delete(half);
    }

    // The system releases the lock when a process dies, however it dies; the file itself means nothing.
    private FileStream Lock()
    {
        AtomicFile.RequireNoLink(PathOf(LockName));
        return new(PathOf(LockName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 1, FileOptions.DeleteOnClose);
    }

    private static string Claim(string root, string name)
    {
        for (int number = 1; number <= MaxNumber; number++)
        {
            string path = System.IO.Path.Combine(root, number == 1 ? name : FormattableString.Invariant($"{name}-{number}"));
            if (TryClaim(path)) return path;
        }

        throw new IOException($"'{name}' exists {MaxNumber} times");
    }

    // Making a folder does not fail if another process has just made it; creating its marker as a new file does.
    private static bool TryClaim(string path)
    {
        if (Directory.Exists(path) || File.Exists(path)) return false;
        AtomicFile.MakeFolder(path);
        string marker = System.IO.Path.Combine(path, RunContents.Marker);
        try
        {
            new FileStream(marker, FileMode.CreateNew, FileAccess.Write).Dispose();
            return true;
        }
        catch (IOException) when (File.Exists(marker))
        {
            return false;
        }
    }
}
