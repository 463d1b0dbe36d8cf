namespace Rpat.Training.Errors;

/// <summary>Paths as a user would type them.</summary>
internal static class ShownPath
{
    /// <summary>A full path relative to the current folder if it is below it.</summary>
    public static string Of(string path)
    {
        string relative = Path.GetRelativePath(Directory.GetCurrentDirectory(), path);
        return relative.StartsWith("..", StringComparison.Ordinal) ? path : relative;
    }
}
