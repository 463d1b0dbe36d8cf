namespace Rpat.Training.Evaluation;

/// <summary>
/// Where an evaluation is stored: in the run that it measures unless the user says otherwise. An existing one is never overwritten.
/// </summary>
internal static class EvalFolder
{
    /// <summary>The folder of evaluations in a run's.</summary>
    public const string Part = ForeignHome.Evaluations;

    /// <summary>The folder for a new evaluation, or the latest one of that name to resume.</summary>
    /// <param name="root">The folder of runs.</param>
    /// <param name="note">Receives what is resumed, or could be.</param>
    /// <exception cref="UsageException">The user's folder holds an evaluation that is not to be resumed.</exception>
    public static string Choose(EvalOptions options, int images, string? outFolder, bool resume, string root, Action<string> note) =>
        !Keeps(options, outFolder) ? Directory.CreateTempSubdirectory("rpat-eval-").FullName
            : Choose(options.Checkpoint, NameOf(options, images), outFolder, resume, root, note);

    /// <summary>The same, by the evaluation's name.</summary>
    public static string Choose(string checkpoint, string name, string? outFolder, bool resume, string root, Action<string> note)
    {
        if (outFolder is not null) return resume || !File.Exists(Path.Combine(outFolder, EvaluationManifest.FileName)) ? outFolder
            : throw new UsageException($"'{outFolder}' holds an evaluation already: go on with --resume, or choose another --out.");
        string first = FirstOf(checkpoint, name, root);
        string[] taken = [.. Numbered(first).TakeWhile(Directory.Exists)];
        string? last = taken.LastOrDefault();
        if (last is not null && RunContents.Find(last, EvaluationReport.FileName) is null && !CorruptionReport.IsWholeIn(last))
            note(resume ? $"note: resumes '{last}'" : $"note: '{last}' is unfinished: --resume would resume it; this is another");
        return resume ? last ?? first : Numbered(first).ElementAt(taken.Length);
    }

    /// <summary>The folders of earlier evaluations of that name, the latest first.</summary>
    public static IReadOnlyList<string> Earlier(string checkpoint, string name, string root) =>
        [.. Numbered(FirstOf(checkpoint, name, root)).TakeWhile(Directory.Exists).Reverse()];

    private static string FirstOf(string checkpoint, string name, string root) =>
        Path.Combine(RunFinder.HomeOf(checkpoint, root), Part, Safe(name));

    /// <summary>Whether the files are kept: those of a clean pass only where the user wants them in a folder.</summary>
    public static bool Keeps(EvalOptions options, string? outFolder) => outFolder is not null || options.Attacks.Count > 0;

    /// <summary>What was said about a file when it was last evaluated; nothing if it never was, or is another file now.</summary>
    public static WeightChoice? Remembered(string checkpoint, string root)
    {
        string file = Path.GetFullPath(CheckpointFile.At(checkpoint));
        return ForeignHome.Manifests(RunFinder.HomeOf(checkpoint, root))
            .Where(manifest => manifest.Network.Count > 0 && manifest.Model == file)
            .Where(manifest => manifest.ModelHash.StartsWith(EvalSubject.HashOf(file), StringComparison.Ordinal))
            .Select(manifest => WeightChoice.Of(manifest.Network)).FirstOrDefault();
    }

    private static IEnumerable<string> Numbered(string first) =>
        Enumerable.Range(1, int.MaxValue).Select(n => n == 1 ? first : FormattableString.Invariant($"{first}-{n}"));

    /// <summary>What an evaluation is called.</summary>
    public static string NameOf(EvalOptions o, int images)
    {
        string attacks = o.Attacks.Count == 0 ? "clean" : string.Join('+', o.Attacks),
            radii = string.Join('+', o.Radii.Select(r => r.Text));
        return FormattableString.Invariant($"{attacks}-{o.Norm.Name}-{radii}-n{images}")
            + (o.First == 0 ? "" : FormattableString.Invariant($"-from{o.First}"));
    }

    private static string Safe(string name)
    {
        string safe = string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) || "+-.".Contains(c) ? c : '_'));
        return safe.Length <= 100 ? safe : $"{safe[..80]}-{EvaluationManifest.ShortHash(name)}";
    }
}
