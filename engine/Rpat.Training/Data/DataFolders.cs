namespace Rpat.Training.Data;

/// <summary>Finds the folder that holds a data set's files.</summary>
internal static class DataFolders
{
    /// <summary>Where files are looked for when no folder is given, relative to the current folder.</summary>
    internal const string Default = "data";

    /// <summary>The first folder that holds every file.</summary>
    /// <param name="title">The data set's name in the error.</param>
    /// <param name="folders">The folders, in the order of search.</param>
    /// <param name="exists">Whether a file exists, given its full path; may accept another form of it.</param>
    /// <param name="fix">What the user should do if no folder has them.</param>
    /// <exception cref="DataException">No folder has all files.</exception>
    internal static string Find(
        string title, IReadOnlyList<string> folders, IReadOnlyList<string> files, Func<string, bool> exists, string fix)
    {
        foreach (string folder in folders)
            if (files.All(file => exists(Path.Combine(folder, file)))) return folder;
        string[] missing = [.. files.Where(file => !exists(Path.Combine(Nearest(folders, files, exists), file)))];
        string lacking = missing.Length == files.Count ? "" : $"; {Quoted(missing)} not found in '{Nearest(folders, files, exists)}'";
        throw new DataException($"{title} is not complete in any of {Quoted(folders)} (looked for {Quoted(files)}{lacking}): {fix}.");
    }

    // The folder that lacks the fewest files is the one that the user most likely meant.
    private static string Nearest(IReadOnlyList<string> folders, IReadOnlyList<string> files, Func<string, bool> exists) =>
        folders.MaxBy(folder => files.Count(file => exists(Path.Combine(folder, file))))!;

    private static string Quoted(IEnumerable<string> names) => string.Join(", ", names.Select(name => $"'{name}'"));
}
