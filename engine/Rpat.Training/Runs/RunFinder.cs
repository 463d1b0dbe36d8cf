namespace Rpat.Training.Runs;

/// <summary>Finds the folders of earlier runs.</summary>
internal static class RunFinder
{
    /// <summary>The folder that a name means: a path, a folder's or a run's name in the folder of runs, or <c>latest</c>.</summary>
    /// <exception cref="UsageException">There is no such run.</exception>
    public static string Named(string name, string root) => Find(name, root) ?? throw new UsageException(
        (new[] { name, Path.Combine(root, name) }.FirstOrDefault(Directory.Exists) is { } folder
            ? $"folder '{folder}' is no run, having no {(Lacks(folder, RunRecord.FileName) ? RunRecord.FileName : RunFolder.ConfigName)}"
            : $"there is no run '{name}', neither as a path nor in '{root}'") + $": {Hint(name, root)}");

    /// <summary>The same, or null: of several runs of a name the newest; case counts only where it tells two apart.</summary>
    public static string? Find(string name, string root) =>
        new[] { name, Path.Combine(root, name) }.Select(Followed).FirstOrDefault(IsRun) ?? AnyCase(name, root).LastOrDefault();

    /// <summary>Which of several runs of a name it stands for, as a sentence; null if there is no doubt.</summary>
    public static string? Doubt(string name, string root)
    {
        string first = name.Split('/')[0];
        if (Path.Exists(name) || Path.Exists(Path.Combine(root, first))) return null;
        if (AnyCase(first, root) is not [.. { Count: > 0 } others, var newest]) return null;
        return $"'{first}' is '{Path.GetFileName(newest)}', the newest of {others.Count + 1} runs of that name (before it "
            + $"{string.Join(", ", others.Select(Path.GetFileName))})";
    }

    /// <summary>The folder that a name means, of a run or of an evaluated checkpoint from elsewhere; also by its file.</summary>
    /// <exception cref="UsageException">There is no such folder.</exception>
    public static string Measured(string name, string root) => FindMeasured(name, root) ?? Named(name, root);

    /// <summary>The same, or null.</summary>
    public static string? FindMeasured(string name, string root) => Find(name, root)
        ?? new[] { name, Path.Combine(root, name), FindCheckpoint(name, root) is { } file ? HomeOf(file, root) : "" }
            .FirstOrDefault(folder => folder.Length > 0 && IsMeasured(folder));

    /// <summary>A folder as a user would type it: relative if it is below the current one.</summary>
    public static string Shown(string folder) => ShownPath.Of(folder);

    /// <summary>The newest run of a name that has not finished, or null.</summary>
    public static string? Unfinished(string name, string root) => OfName(name, root)
        .Select(folder => (Folder: folder, Record: RunRecord.Read(folder)))
        .Where(run => run.Record is { Status: not RunStatus.Finished })
        .OrderByDescending(run => run.Record!.Start)
        .Select(run => run.Folder)
        .FirstOrDefault();

    // A folder may be named in other case as well.
    private static List<string> AnyCase(string name, string root)
    {
        List<string> same = [.. OfName(name, root)];
        if (same.Count > 0) return same;
        same = [.. Runs(root).Where(folder => name.Equals(Path.GetFileName(folder), StringComparison.OrdinalIgnoreCase))];
        return same.Count > 0 ? same : [.. OfName(name, root, StringComparison.OrdinalIgnoreCase)];
    }

    /// <summary>
    /// The runs of a name, oldest first; a second one of the same minute has a number behind its name. The names have local times, whose
    /// order is another after a change of the clock or of the time zone.
    /// </summary>
    public static IReadOnlyList<string> OfName(string name, string root, StringComparison how = StringComparison.Ordinal)
    {
        List<string> runs = [.. Runs(root)];
        HashSet<string> exact = [.. runs.Where(folder => name.Equals(NameOf(folder), how))];
        return [.. runs.Where(folder => exact.Contains(folder) || exact.Contains(folder[..Math.Max(0, folder.LastIndexOf('-'))])
                && folder[(folder.LastIndexOf('-') + 1)..].All(char.IsAsciiDigit))
            .OrderBy(folder => RunRecord.Read(folder)?.Start)
            .ThenBy(folder => Path.GetFileName(folder)[..13], StringComparer.Ordinal).ThenBy(folder => folder.Length)
            .ThenBy(folder => folder, StringComparer.Ordinal)];
    }

    /// <summary>What a command's CHECKPOINT means: a path, or in the folder of runs a run or a file of one.</summary>
    /// <exception cref="UsageException">Nothing is there.</exception>
    public static string Checkpoint(string text, string root) => FindCheckpoint(text, root)
        ?? throw new UsageException(RunAndFile(text, root) is (var run, var file) && run is not null
            ? $"run '{Path.GetFileName(run)}' has no '{file}'" + (file == CheckpointFile.Best ? ": data.validation makes one."
                : ": give the run alone for its network.")
            : $"'{text}' does not exist, neither as a path nor as a run in '{root}': {Hint(text, root)}");

    /// <summary>The same, or null.</summary>
    public static string? FindCheckpoint(string text, string root)
    {
        if (File.Exists(text) && !IsRun(Followed(text)) || IsRun(text) || RunContents.Find(text, CheckpointFile.Name) is not null)
            return text;
        if (Find(text, root) is { } run) return run;
        if (new[] { text, Path.Combine(root, text) }.FirstOrDefault(ForeignHome.Is) is { } home) return ForeignHome.Checkpoint(home);
        var (holder, file) = RunAndFile(text, root);
        return new[] { holder is null ? text : Path.Combine(holder, file), Path.Combine(root, text), text }.FirstOrDefault(Path.Exists);
    }

    /// <summary>
    /// The same by a path that means it later too, where <c>latest</c> or a run's name may mean another; null if nothing is there.
    /// </summary>
    public static string? Lasting(string text, string root)
    {
        if (FindCheckpoint(text, root) is not { } found) return null;
        if (Directory.Exists(found)) return Followed(found);
        return Path.GetDirectoryName(found) is { Length: > 0 } folder ? Path.Combine(Followed(folder), Path.GetFileName(found)) : found;
    }

    // NAME/FILE
    private static (string? Run, string File) RunAndFile(string text, string root) =>
        text.IndexOf('/') is > 0 and var slash ? (Find(text[..slash], root), text[(slash + 1)..]) : (null, text);

    /// <summary>The run that a checkpoint is, or is in; null for one from elsewhere.</summary>
    public static string? RunOf(string checkpoint)
    {
        if (Directory.Exists(checkpoint)) return IsRun(checkpoint) ? checkpoint : null;
        string folder = Path.GetDirectoryName(checkpoint) is { Length: > 0 } place ? place : ".";
        string full = Path.GetFullPath(folder);
        if (Path.GetFileName(full) == RunContents.CheckpointFolder) folder = Path.GetDirectoryName(full)!;
        return IsRun(folder) ? folder : null;
    }

    /// <summary>
    /// Where what is found out about a checkpoint is stored: in its run, or for one from elsewhere in a folder of its own among the runs.
    /// </summary>
    public static string HomeOf(string checkpoint, string root)
    {
        if (RunOf(checkpoint) is { } run) return run;
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(checkpoint)), name = Path.GetFileNameWithoutExtension(full);
        string safe = string.Concat(name.Take(60).Select(c => char.IsAsciiLetterOrDigit(c) || "._+-".Contains(c) ? c : '-'));
        return Path.Combine(root, $"{safe}-{EvaluationManifest.ShortHash(full)}");
    }

    /// <summary>The folders of all runs below a folder, oldest name first.</summary>
    public static IReadOnlyList<string> All(string root) => [.. Runs(root).Order(StringComparer.Ordinal)];

    /// <summary>The same, and those of checkpoints from elsewhere that were evaluated.</summary>
    public static IReadOnlyList<string> AllMeasured(string root) => [.. Below(root).Where(IsMeasured).Order(StringComparer.Ordinal)];

    private static IEnumerable<string> Runs(string root) => Below(root).Where(IsRun);

    private static IEnumerable<string> Below(string root) => Directory.Exists(root)
        ? Directory.GetDirectories(root).Where(folder => new DirectoryInfo(folder).LinkTarget is null) : [];

    private static bool IsMeasured(string folder) => IsRun(folder) || ForeignHome.Is(folder);

    private static bool IsRun(string folder) => !Lacks(folder, RunRecord.FileName) && !Lacks(folder, RunFolder.ConfigName);

    private static bool Lacks(string folder, string file) => RunContents.Find(folder, file) is null;

    // yyyyMMdd-HHmm-NAME
    private static string? NameOf(string folder) => Path.GetFileName(folder) is { Length: > 14 } name ? name[14..] : null;

    // 'latest' is a link, or a text file with the folder's name if links are not allowed.
    private static string Followed(string path)
    {
        if (RegularFile.Exists(path))
            return new FileInfo(path).Length < LatestLink.MostBytes && Path.GetFileName(LatestLink.TextOf(path)) is { Length: > 0 } name
                && !name.Contains('\0')
                ? Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, name)
                : path;
        return new DirectoryInfo(path) is { Exists: true, LinkTarget: not null } link
            ? link.ResolveLinkTarget(returnFinalTarget: true)!.FullName : path;
    }

    private static string Hint(string name, string root)
    {
        string[] names = [.. Runs(root).Select(folder => Path.GetFileName(folder)!)];
        return names.Length == 0 ? "give a run folder."
            : DidYouMean.Hint(name, [.. names.Order(StringComparer.Ordinal).TakeLast(5)], "newest runs")
                + (names.Length > 5 ? $" 'rpat runs list' lists all {names.Length}." : "");
    }
}
