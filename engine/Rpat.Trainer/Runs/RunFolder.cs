using System.Globalization;
using Rpat.Engine.IO;
using Rpat.Trainer.Config;
using Rpat.Trainer.Errors;

namespace Rpat.Trainer.Runs;

/// <summary>
/// The folder of one run: <c>OUT/yyyyMMdd-HHmm-NAME</c>. An existing folder is never deleted, reused or asked about; a number is
/// appended instead.
/// </summary>
internal sealed class RunFolder : IDisposable
{
    private const int MaxNumber = 10_000;

    private RunFolder(string path, TimeProvider clock)
    {
        Path = path;
        Metrics = new MetricsLog(PathOf("metrics.jsonl"), PathOf("metrics.csv"), clock);
        Log = new RunLog(PathOf("log.txt"), clock);
    }

    /// <summary>The folder, as a full path.</summary>
    public string Path { get; }

    /// <summary>The folder as people type it: relative to the current folder where it lies beneath it.</summary>
    public string ShownPath
    {
        get
        {
            string relative = System.IO.Path.GetRelativePath(Directory.GetCurrentDirectory(), Path);
            return relative.StartsWith("..", StringComparison.Ordinal) ? Path : relative;
        }
    }

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
        string root = resolved.Config.Run.Out;
        try
        {
            Directory.CreateDirectory(root);
            string stamp = clock.GetLocalNow().ToString("yyyyMMdd-HHmm", CultureInfo.InvariantCulture);
            string path = Claim(System.IO.Path.GetFullPath(root), $"{stamp}-{resolved.Config.RunName}");
            AtomicFile.WriteText(System.IO.Path.Combine(path, "config.yaml"), ConfigWriter.Write(resolved));
            LatestLink.Point(root, System.IO.Path.GetFileName(path));
            return new RunFolder(path, clock);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            string reason = error.Message.TrimEnd('.');
            throw new UsageException($"no run folder can be made in '{root}' ({reason}): choose another with --out.", error);
        }
    }

    /// <summary>Closes the metrics and the log.</summary>
    public void Dispose()
    {
        Metrics.Dispose();
        Log.Dispose();
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

    // Making a folder does not fail when another process has just made it; making its run.json anew does.
    private static bool TryClaim(string path)
    {
        if (Directory.Exists(path) || File.Exists(path)) return false;
        Directory.CreateDirectory(path);
        string record = System.IO.Path.Combine(path, RunRecord.FileName);
        try
        {
            new FileStream(record, FileMode.CreateNew, FileAccess.Write).Dispose();
            return true;
        }
        catch (IOException) when (File.Exists(record))
        {
            return false;
        }
    }
}
