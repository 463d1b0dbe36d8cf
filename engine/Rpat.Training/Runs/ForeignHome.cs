namespace Rpat.Training.Runs;

/// <summary>The folder among the runs that has the evaluations of a checkpoint from elsewhere.</summary>
internal static class ForeignHome
{
    /// <summary>The folder of evaluations in a run's, and in such a one.</summary>
    public const string Evaluations = "eval";

    /// <summary>Whether a folder is one.</summary>
    public static bool Is(string folder) => RunContents.Find(folder, RunFolder.ConfigName) is null && Manifests(folder).Any();

    /// <summary>What its evaluations, or those of a run, say that they measured: the newest first, without damaged ones.</summary>
    public static IEnumerable<EvaluationManifest> Manifests(string folder) => RunContents.Folders(Path.Combine(folder, Evaluations))
        .OrderByDescending(Directory.GetLastWriteTimeUtc).Select(Manifest).OfType<EvaluationManifest>();

    /// <summary>The checkpoint that was evaluated.</summary>
    public static string Checkpoint(string folder) => Manifests(folder).First().Model;

    private static EvaluationManifest? Manifest(string folder)
    {
        try
        {
            return Verification.ManifestOf(folder);
        }
        catch (DataException)
        {
            return null;
        }
    }
}
