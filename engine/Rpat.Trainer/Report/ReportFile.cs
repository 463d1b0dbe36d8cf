namespace Rpat.Trainer.Report;

/// <summary>Reports as files: one HTML page each, self-contained, to be opened from disk.</summary>
internal static class ReportFile
{
    /// <summary>Writes the report of a run, or the comparison of several, as one step.</summary>
    /// <exception cref="Errors.UsageException">A folder is not a run.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(string path, IReadOnlyList<string> folders)
    {
        RunData[] runs = [.. folders.Select(RunData.Load)];
        AtomicFile.WriteText(path, runs.Length == 1 ? RunReport.Page(runs[0]) : ComparisonReport.Page(runs));
    }
}
