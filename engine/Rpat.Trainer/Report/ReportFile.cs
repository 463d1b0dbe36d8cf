namespace Rpat.Trainer.Report;

/// <summary>Reports as files: one HTML page each, self-contained, to be opened from disk.</summary>
internal static class ReportFile
{
    /// <summary>Writes the report of a run, or the comparison of several, as one step.</summary>
    /// <param name="wanted">The evaluation that counts, as in <see cref="SharedEvaluation"/>; null to choose.</param>
    /// <exception cref="Errors.UsageException">A folder is not a run.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(string path, IReadOnlyList<string> folders, string? wanted = null)
    {
        var compared = SharedEvaluation.Of([.. folders.Select(RunData.Load)], wanted);
        AtomicFile.WriteText(path, compared.Runs is [var one] ? RunReport.Page(one) : ComparisonReport.Page(compared));
    }
}
