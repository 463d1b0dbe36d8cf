namespace Rpat.Training.Evaluation;

/// <summary>
/// Where an evaluation is stored: next to its checkpoint unless the user says otherwise. An existing one is never overwritten.
/// </summary>
internal static class EvalFolder
{
    /// <summary>The folder for a new evaluation, or the latest one of that name to resume.</summary>
    /// <exception cref="UsageException">There is none to resume.</exception>
    public static string Choose(EvalOptions options, int images, string? outFolder, bool resume)
    {
        string first = outFolder ?? Path.Combine(Home(options.Checkpoint), "eval", NameOf(options, images));
        if (outFolder is not null) return first;
        if (options.Attacks.Count == 0) return Directory.CreateTempSubdirectory("rpat-eval-").FullName;
        string[] taken = [.. Numbered(first).TakeWhile(Directory.Exists)];
        if (!resume) return Numbered(first).ElementAt(taken.Length);
        return taken.LastOrDefault() ?? first;
    }

    /// <summary>Removes the files of a clean pass, unless the user wants them in a folder.</summary>
    public static void Leave(EvalOptions options, string? outFolder, string folder)
    {
        if (outFolder is null && options.Attacks.Count == 0) Directory.Delete(folder, recursive: true);
    }

    private static IEnumerable<string> Numbered(string first) =>
        Enumerable.Range(1, int.MaxValue).Select(n => n == 1 ? first : FormattableString.Invariant($"{first}-{n}"));

    private static string Home(string checkpoint) =>
        Directory.Exists(checkpoint) ? checkpoint : Path.GetDirectoryName(Path.GetFullPath(checkpoint))!;

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
