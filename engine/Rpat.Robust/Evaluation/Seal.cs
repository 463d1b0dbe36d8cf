using System.Security.Cryptography;
using System.Text;
using Rpat.Engine.IO;

namespace Rpat.Robust;

/// <summary>
/// The digest of an evaluation: <c>SHA256SUMS</c> lists every file of the folder as <c>sha256sum</c> does, and its own SHA-256 is the one
/// digest of all. The journal alone is not in it, since its order tells how often the evaluation was resumed; the ledger has its lines.
/// </summary>
internal static class Seal
{
    public const string FileName = "SHA256SUMS";

    /// <summary>Writes the list; all other files must be finished.</summary>
    public static void Write(string folder, EvaluationManifest manifest) => AtomicFile.WriteText(Path.Combine(folder, FileName), Text(folder, manifest));

    /// <summary>The digest of a folder whose list is there.</summary>
    public static string DigestOf(string folder) => EvaluationManifest.HashOf(File.ReadAllBytes(Path.Combine(folder, FileName)));

    /// <summary>What differs from the list, a sentence each.</summary>
    public static IEnumerable<string> Problems(string folder, EvaluationManifest manifest)
    {
        string path = Path.Combine(folder, FileName);
        if (!File.Exists(path)) return [$"{FileName} is missing, so nothing shows that the files are those that the evaluation wrote"];
        string[] written = File.ReadAllText(path).Split('\n'), found = Text(folder, manifest).Split('\n');
        return written.SequenceEqual(found) ? []
            : [.. found.Except(written).Where(line => line.Length > 66).Select(line => $"{line[66..]} is not the file that {FileName} lists"),
               .. written.Except(found).Where(line => !found.Any(f => f.Length > 66 && line.EndsWith(f[64..], StringComparison.Ordinal))).Select(line => $"{FileName} has a line that is none of this evaluation's: '{line}'"),
               .. written.Order().SequenceEqual(found.Order()) || written.Length != found.Length ? [$"{FileName} does not list each file once, in order"] : Array.Empty<string>()];
    }

    /// <summary>The files of an evaluation, the journal and the list itself aside.</summary>
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

    private static string HashOf(string path)
    {
        if (!File.Exists(path)) throw new DataException($"'{path}' is missing: finish the evaluation with --resume, or run it again.");
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }
}
