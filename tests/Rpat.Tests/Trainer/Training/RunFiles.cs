using System.Security.Cryptography;

namespace Rpat.Tests.Trainer.Training;

/// <summary>Run folders beneath a test's folder, and what equal runs have in common.</summary>
internal static class RunFiles
{
    private static readonly string[] _timed = ["run.json", "log.txt", "config.yaml", "report.html", ".lock", TensorBoardLog.FileName];

    /// <summary>The runs in a folder, oldest first.</summary>
    public static IReadOnlyList<string> Runs(TestHost test, string name) => !Directory.Exists(test.PathOf(name))
        ? []
        : [.. Directory.GetDirectories(test.PathOf(name)).Where(run => Path.GetFileName(run) != "latest").Order(StringComparer.Ordinal)];

    /// <summary>Whether a run has done all it should.</summary>
    public static bool IsFinished(string run) =>
        File.Exists(Path.Combine(run, "run.json"))
        && File.ReadAllText(Path.Combine(run, "run.json")).Contains("\"finished\"", StringComparison.Ordinal);

    /// <summary>Copies a run into a folder beneath a test's.</summary>
    /// <returns>The copy.</returns>
    public static string Copy(string run, TestHost test, string name)
    {
        string copy = test.PathOf(Path.Combine(name, Path.GetFileName(run)));
        foreach (string file in Directory.GetFiles(run, "*", SearchOption.AllDirectories))
        {
            string to = Path.Combine(copy, Path.GetRelativePath(run, file));
            Directory.CreateDirectory(Path.GetDirectoryName(to)!);
            File.Copy(file, to);
        }
        return copy;
    }

    /// <summary>Every file of a run but those that hold times and origins, with its hash.</summary>
    public static IEnumerable<string> Hashes(string run) => Directory.GetFiles(run, "*", SearchOption.AllDirectories)
        .Select(file => Path.GetRelativePath(run, file))
        .Where(name => !_timed.Contains(name) && !name.StartsWith("report.html.tmp-", StringComparison.Ordinal)) // of one that was killed
        .Order(StringComparer.Ordinal)
        .Select(name => $"{name} {Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(Path.Combine(run, name))))}");
}
