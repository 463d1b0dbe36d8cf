namespace Rpat.Training.Runs;

/// <summary><c>OUT/latest</c>: a link to the newest run, or a text file with its name if links are not allowed.</summary>
internal static class LatestLink
{
    /// <summary>Its name, by which commands take the newest run.</summary>
    public const string Name = "latest";

    /// <summary>No name is this long.</summary>
    public const int MostBytes = 300;

    /// <summary>Points the link at a run; anything of that name that is neither link nor such a file is left alone.</summary>
    /// <param name="run">The run folder's name in OUT.</param>
    public static void Point(string root, string run)
    {
        string path = Path.Combine(root, Name);
        if (new FileInfo(path).LinkTarget is null && Path.Exists(path) && !IsOwnFile(path)) return;
        try
        {
            File.Delete(path);
            Directory.CreateSymbolicLink(path, run);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            WriteText(path, run);
        }
    }

    /// <summary>The text file's content; for any other small file its bytes as text.</summary>
    public static string TextOf(string path) => Encoding.UTF8.GetString(RegularFile.ReadBytes(path, MostBytes)).Trim();

    private static bool IsOwnFile(string path) =>
        RegularFile.Exists(path) && new FileInfo(path).Length < MostBytes
        && Directory.Exists(Path.Combine(Path.GetDirectoryName(path)!, TextOf(path)));

    private static void WriteText(string path, string run)
    {
        try
        {
            AtomicFile.WriteText(path, run + "\n");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // The link is a convenience: another run may be moving it at this moment, and no run fails for it.
        }
    }
}
