namespace Rpat.Training.Runs;

/// <summary>The status of a run.</summary>
internal enum RunStatus
{
    /// <summary>It is running, or the process died without notice.</summary>
    Running,

    /// <summary>It finished.</summary>
    Finished,

    /// <summary>A signal stopped it.</summary>
    Interrupted,

    /// <summary>An error stopped it.</summary>
    Failed,

    /// <summary>Training diverged.</summary>
    Diverged,
}

/// <summary>The run's <c>run.json</c>: what was run, on what, and how it ended.</summary>
/// <param name="End">When it ended, or null while it runs.</param>
/// <param name="ExitCode">The process's exit code, or null while it runs.</param>
/// <param name="Error">The sentence that the user was shown, or null.</param>
/// <param name="Plugins">Full paths of the assemblies that the run was made with; null in records of earlier versions.</param>
internal sealed record RunRecord(
    IReadOnlyList<string> CommandLine,
    DateTimeOffset Start,
    DateTimeOffset? End,
    RunStatus Status,
    int? ExitCode,
    string? Error,
    MachineInfo Machine,
    ComputeInfo Compute,
    IReadOnlyList<RunResume>? Resumes = null,
    int Processes = 1,
    IReadOnlyList<string>? Plugins = null)
{
    /// <summary>The record's name in the run's folder.</summary>
    public const string FileName = "run.json";

    private const int MostBytes = 16 << 20;

    /// <summary>How the run of a folder stands, such as <c>finished</c>; <c>killed</c> if its process ended without a word.</summary>
    public string StatusIn(string folder) =>
        Status == RunStatus.Running && !RunFolder.IsOpen(folder) ? "killed" : Status.ToString().ToLowerInvariant();

    /// <summary>Writes the record as one step.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Save(RunFolder run) => AtomicFile.WriteText(run.PathOf(FileName), JsonSerializer.Serialize(this, RunJson.Format) + "\n");

    /// <summary>Reads the record of a run folder; null if there is none that can be parsed.</summary>
    public static RunRecord? Read(string folder)
    {
        try
        {
            return RunContents.Find(folder, FileName) is { } path
                ? JsonSerializer.Deserialize<RunRecord>(RegularFile.ReadBytes(path, MostBytes), RunJson.Format)
                : null;
        }
        catch (Exception error) when (error is IOException or JsonException or NotSupportedException)
        {
            return null;
        }
    }
}

/// <summary>One resumption of a run.</summary>
internal sealed record RunResume(IReadOnlyList<string> CommandLine, DateTimeOffset Start);

/// <summary>The hardware and algorithms of a run, for its record.</summary>
/// <param name="Convolutions">Kernel size and algorithm of each convolution, by the name of its weight.</param>
internal sealed record ComputeInfo(string Device, string Kernels, IReadOnlyDictionary<string, string> Convolutions);
