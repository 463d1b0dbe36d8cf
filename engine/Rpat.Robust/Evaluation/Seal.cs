using System.Security.Cryptography;

namespace Rpat.Robust.Evaluation;

/// <summary>
/// The digest of an evaluation: <c>SHA256SUMS</c> lists every file of the folder as <c>sha256sum</c> does, and its own SHA-256 covers
/// them all. Only the journal is excluded, since its order depends on how often the evaluation was resumed; the ledger has its lines.
/// </summary>
internal static class Seal
{
    public const string FileName = "SHA256SUMS";

    private const int Name = 66; // after 64 digits and two blanks

    /// <summary>Writes the list; all other files must be finished.</summary>
    public static void Write(string folder, EvaluationManifest manifest) =>
        AtomicFile.WriteText(Path.Combine(folder, FileName), Text(folder, manifest));

    /// <summary>The digest of a folder that has a list.</summary>
    public static string DigestOf(string folder) => HashOf(Path.Combine(folder, FileName));

    /// <summary>What differs from the list, one sentence each.</summary>
    public static IEnumerable<string> Problems(string folder, EvaluationManifest manifest)
    {
        string path = Path.Combine(folder, FileName);
        if (!File.Exists(path)) return [$"{FileName} is missing, so nothing shows that the files are those that the evaluation wrote"];
        string[] listed = EvaluationFiles.Text(path).Split('\n'), found = Text(folder, manifest).Split('\n');
        if (listed.SequenceEqual(found)) return [];
        string[] changed = [.. found.Except(listed).Where(line => line.Length > 0)
            .Select(line => $"{line[Name..]} is not the file that {FileName} lists")];
        return changed.Length > 0 ? changed : [$"{FileName} does not list each file of this evaluation once, in order"];
    }

    /// <summary>The files of an evaluation, except for the journal and the list itself.</summary>
    public static IEnumerable<string> Files(EvaluationManifest manifest) => manifest.Columns
        .Select(c => ExampleStore.NameOf(c.Eps, c.Suite))
        .Concat([EvaluationManifest.FileName, EvaluationFiles.Images, EvaluationFiles.Labels, Ledger.FinalName, EvaluationReport.FileName])
        .Order(StringComparer.Ordinal);

    private static string Text(string folder, EvaluationManifest manifest)
    {
        var text = new StringBuilder();
        foreach (string name in Files(manifest)) text.Append(HashOf(Path.Combine(folder, name))).Append("  ").Append(name).Append('\n');
        return text.ToString();
    }

    /// <summary>SHA-256 of a file.</summary>
    public static string HashOf(string path)
    {
        if (!File.Exists(path)) throw new DataException($"'{path}' is missing: finish the evaluation with resume: true, or run it again.");
        using FileStream stream = EvaluationFiles.Read(() => RegularFile.Open(path));
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }
}
