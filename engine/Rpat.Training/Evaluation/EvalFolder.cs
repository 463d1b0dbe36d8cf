namespace Rpat.Training.Evaluation;

/// <summary>
/// Where an evaluation is stored: in the run that it measures unless the user says otherwise. An existing one is never overwritten.
/// </summary>
internal static class EvalFolder
{
    /// <summary>The folder of evaluations in a run's.</summary>
    public const string Part = ForeignHome.Evaluations;

    /// <summary>The folder for a new evaluation, or the latest one of that name to resume.</summary>
    /// <exception cref="UsageException">There is none to resume.</exception>
    /// <param name="root">The folder of runs.</param>
    /// <param name="note">Receives what is resumed, or could be.</param>
    public static string Choose(EvalOptions options, int images, string? outFolder, bool resume, string root, Action<string> note)
    {
        string first = outFolder ?? Path.Combine(RunFinder.HomeOf(options.Checkpoint, root), Part, NameOf(options, images));
        if (outFolder is not null) return first;
        if (options.Attacks.Count == 0) return Directory.CreateTempSubdirectory("rpat-eval-").FullName;
        string[] taken = [.. Numbered(first).TakeWhile(Directory.Exists)];
        string? last = taken.LastOrDefault();
        bool isUnfinished = last is not null && RunContents.Find(last, EvaluationReport.FileName) is null;
        if (isUnfinished) note(resume ? $"note: resumes '{last}'"
            : $"note: '{last}' is unfinished: --resume would resume it; this is another");
        return resume ? last ?? first : Numbered(first).ElementAt(taken.Length);
    }

    /// <summary>Removes the files of a clean pass, unless the user wants them in a folder.</summary>
    public static void Leave(EvalOptions options, string? outFolder, string folder)
    {
        if (outFolder is null && options.Attacks.Count == 0) Directory.Delete(folder, recursive: true);
    }

    /// <summary>What was said about a file when it was last evaluated; nothing if it never was, or is another file now.</summary>
    public static WeightChoice? Remembered(string checkpoint, string root)
    {
        string file = Path.GetFullPath(NetworkFile.FileOf(checkpoint));
        return ForeignHome.Manifests(RunFinder.HomeOf(checkpoint, root))
            .Where(manifest => manifest.Network.Count > 0 && manifest.Model == file)
            .Where(manifest => manifest.ModelHash.StartsWith(EvalSubject.HashOf(file), StringComparison.Ordinal))
            .Select(manifest => WeightChoice.Of(manifest.Network)).FirstOrDefault();
    }

    private static IEnumerable<string> Numbered(string first) =>
        Enumerable.Range(1, int.MaxValue).Select(n => n == 1 ? first : FormattableString.Invariant($"{first}-{n}"));

    private static string NameOf(EvalOptions o, int images)
    {
        string attacks = o.Attacks.Count == 0 ? "clean" : string.Join('+', o.Attacks);
        string name =
            FormattableString.Invariant(
            $"{attacks}-{o.Norm.Name}-{string.Join('+', o.Radii.Select(r => r.Text))}-n{images}{(o.First == 0 ? "" : FormattableString.Invariant($"-from{o.First}"))}");
        string safe = string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) || "+-.".Contains(c) ? c : '_'));
        return safe.Length <= 100 ? safe : $"{safe[..80]}-{EvaluationManifest.ShortHash(name)}";
    }
}
