namespace Rpat.Training.Runs;

/// <summary>Finds the folders of earlier runs.</summary>
internal static class RunFinder
{
    /// <summary>The folder that a name means: a path, or a run or <c>latest</c> in the folder of runs.</summary>
    /// <exception cref="UsageException">There is no such run.</exception>
    public static string Named(string name, string root)
    {
        string[] places = [name, Path.Combine(root, name)];
        return places.Select(Followed).FirstOrDefault(IsRun)
            ?? throw new UsageException($"there is no run '{name}', neither as a path nor in '{root}': {Hint(name, root)}");
    }

    /// <summary>The newest run of a name that has not finished, or null.</summary>
    public static string? Unfinished(string name, string root) => Runs(root)
        .Where(folder => NameOf(folder) is { } own
        && (own == name || own.StartsWith(name + '-', StringComparison.Ordinal) && own[(name.Length + 1)..].All(char.IsAsciiDigit)))
        .Select(folder => (Folder: folder, Record: RunRecord.Read(folder)))
        .Where(run => run.Record is { Status: not RunStatus.Finished })
        .OrderByDescending(run => run.Record!.Start)
        .Select(run => run.Folder)
        .FirstOrDefault();

    /// <summary>The folders of all runs below a folder, oldest name first.</summary>
    public static IReadOnlyList<string> All(string root) => [.. Runs(root).Order(StringComparer.Ordinal)];

    private static IEnumerable<string> Runs(string root) => Directory.Exists(root)
        ? Directory.GetDirectories(root).Where(folder => new DirectoryInfo(folder).LinkTarget is null && IsRun(folder))
        : [];

    private static bool IsRun(string folder) =>
        RunContents.Find(folder, RunRecord.FileName) is not null && RunContents.Find(folder, RunFolder.ConfigName) is not null;

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
            : DidYouMean.Hint(name, [.. names.Order(StringComparer.Ordinal).TakeLast(5)], "newest runs");
    }
}
