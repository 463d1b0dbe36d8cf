namespace Rpat.Trainer.Cli;

/// <summary>Where a command writes its one file.</summary>
internal static class OutputFile
{
    /// <summary>The file that was given, the usual name in a folder that was given, or the usual name.</summary>
    public static string Of(string? given, string usual) =>
        string.IsNullOrEmpty(given) ? usual
        : Path.EndsInDirectorySeparator(given) || Directory.Exists(given) ? Path.Combine(given, usual)
        : given;
}
