using System.Text.RegularExpressions;

namespace Rpat.Training.Runs;

/// <summary>
/// The files of a run folder that belong to the run. Users put notes there, and links to other disks: no link is followed out of a run, and
/// nothing is removed that this program did not write.
/// </summary>
internal static partial class RunContents
{
    /// <summary>The file that makes a folder a run.</summary>
    public const string Marker = AtomicFile.RunMark;

    /// <summary>The folder of its checkpoints.</summary>
    public const string CheckpointFolder = CheckpointFile.Folder;

    /// <summary>What a diverged run leaves for inspection.</summary>
    public const string PostMortem = "post-mortem.safetensors";

    /// <summary>The page about it.</summary>
    public const string Report = "report.html";

    private static readonly string[] _parts = [CheckpointFolder, "images", "tb", "eval", "perception"];

    private static readonly string[] _names =
    [
        RunRecord.FileName, RunFolder.ConfigName, MetricsLog.EventsName, MetricsLog.TableName, RunLog.FileName, RunFolder.WarningsName,
        CheckpointFile.Name, CheckpointFile.Best, PostMortem, RunResult.FileName, Report,
    ];

    /// <summary>Whether this program made a folder: it has the marker or, from earlier versions, a record that only a run has.</summary>
    public static bool IsRun(string folder) => !IsLink(folder) && (Find(folder, Marker) is not null || RunRecord.Read(folder) is not null);

    /// <summary>A file of a run, or null if there is none: not a folder or a pipe, and not reached through a link.</summary>
    /// <param name="folder">The run's folder; it may itself be reached through links.</param>
    /// <param name="name">The file's path in it.</param>
    public static string? Find(string folder, string name)
    {
        string path = folder;
        foreach (string part in name.Split('/'))
        {
            if (path != folder && IsLink(path)) return null;
            path = Path.Combine(path, part);
        }

        return RegularFile.Exists(path, followLink: false) ? path : null;
    }

    /// <summary>The folders in a folder of a run, in order of their names, without links.</summary>
    public static IReadOnlyList<string> Folders(string path) => Directory.Exists(path) && !IsLink(path)
        ? [.. Directory.GetDirectories(path).Where(folder => !IsLink(folder)).Order(StringComparer.Ordinal)]
        : [];

    /// <summary>The first link in a run, through which resuming it would write elsewhere; null if there is none.</summary>
    public static string? FirstLink(string folder) =>
        _names.Concat(_parts).Concat([TensorBoardName]).Select(name => Path.Combine(folder, name)).FirstOrDefault(IsLink);

    /// <summary>Half-written files of processes, below a run's own folders.</summary>
    public static IEnumerable<(string Path, int Process)> HalfWritten(string folder)
    {
        foreach (var (path, name, process) in AtomicFile.HalfWritten(folder))
            if (_names.Contains(name) && IsFile(path)) yield return (path, process);
        foreach (string part in _parts.Select(part => Path.Combine(folder, part)).SelectMany(Beneath))
            foreach (var (path, name, process) in AtomicFile.HalfWritten(part))
                if (Written().IsMatch(name) && IsFile(path)) yield return (path, process);
    }

    /// <summary>The checkpoints of a run.</summary>
    public static IEnumerable<string> Checkpoints(string folder)
    {
        string place = Path.Combine(folder, CheckpointFolder);
        return Directory.Exists(place) && !IsLink(place)
            ? Directory.GetFiles(place).Where(file => Step().IsMatch(Path.GetFileName(file)) && IsFile(file)).Order(StringComparer.Ordinal)
            : [];
    }

    /// <summary>The files of a run that was killed before its first record, or null if a folder holds anything else.</summary>
    public static IReadOnlyList<string>? Skeleton(string folder)
    {
        string[] entries = Directory.GetFileSystemEntries(folder);
        return Find(folder, Marker) is not null && entries.All(IsOfSkeleton) ? entries : null;
    }

    private static bool IsOfSkeleton(string path) => IsFile(path) && Path.GetFileName(path) switch
    {
        RunFolder.ConfigName or RunFolder.LockName => true,
        _ when AtomicFile.HalfWritten(Path.GetDirectoryName(path)!).FirstOrDefault(half => half.Path == path) is { Name: { } name } =>
            _names.Contains(name),
        Marker or RunRecord.FileName or MetricsLog.EventsName or RunLog.FileName => new FileInfo(path).Length == 0,
        _ => false,
    };

    private static IEnumerable<string> Beneath(string folder) =>
        !Directory.Exists(folder) || IsLink(folder) ? [] : Folders(folder).SelectMany(Beneath).Prepend(folder);

    private static string TensorBoardName => TensorBoardLog.FileName;

    private static bool IsLink(string path) => new FileInfo(path).LinkTarget is not null;

    private static bool IsFile(string path) => RegularFile.Exists(path, followLink: false);

    [GeneratedRegex(@"^step-\d{8,}\.safetensors$", RegexOptions.CultureInvariant)]
    private static partial Regex Step();

    [GeneratedRegex(@"^[\w.+-]+\.(safetensors|png|json|jsonl|html|npy|npz|csv|md)$", RegexOptions.CultureInvariant)]
    private static partial Regex Written();
}
