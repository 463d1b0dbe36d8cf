using System.Security.Cryptography;

namespace Rpat.Training.Runs;

/// <summary>Where two runs differ: in their settings, from which event of their metrics on, and in their weights.</summary>
/// <param name="Settings">Keys with the value of each; those that do not affect the weights are left out.</param>
/// <param name="Parting">The first event that differs, or null.</param>
/// <param name="Events">The number of common events before that one.</param>
/// <param name="SameWeights">Whether the final networks are equal bit for bit; null if one is missing.</param>
internal sealed record RunComparison(
    IReadOnlyList<(string Key, string First, string Second)> Settings, (string First, string Second)? Parting, int Events,
    bool? SameWeights)
{
    /// <summary>The number of steps from the first on with the same loss; null if a run stores no losses of steps.</summary>
    public int? SameSteps { get; init; }

    /// <summary>The first step whose loss differs, or null.</summary>
    public (long Step, float First, float Second)? FirstStep { get; init; }

    private const string Nothing = "(no more)";

    // Keys that differ between any two runs without being informative.
    private static readonly string[] _incidental = ["run.", "log.", "recipe.", "checkpoint.", "data.dir"];

    /// <summary>Compares two runs.</summary>
    public static RunComparison Of(
        (IReadOnlyList<KeyValuePair<string, string>> Settings, string Folder, string? Weights) first,
        (IReadOnlyList<KeyValuePair<string, string>> Settings, string Folder, string? Weights) second)
    {
        string[] a = Lines(first.Folder), b = Lines(second.Folder);
        int same = a.Zip(b).TakeWhile(pair => pair.First == pair.Second).Count();
        (string, string)? parting = same == a.Length && same == b.Length ? null
            : (a.ElementAtOrDefault(same) ?? Nothing, b.ElementAtOrDefault(same) ?? Nothing);
        return new RunComparison(Differing(first.Settings, second.Settings), parting, same,
            SameFile(first.Weights, second.Weights)).WithSteps(Losses(first.Folder), Losses(second.Folder));
    }

    private RunComparison WithSteps(IReadOnlyList<(long Step, float Loss)> a, IReadOnlyList<(long Step, float Loss)> b)
    {
        if (a.Count == 0 || b.Count == 0) return this;
        int same = a.Zip(b).TakeWhile(pair => pair.First.Equals(pair.Second)).Count();
        bool parts = same < Math.Min(a.Count, b.Count);
        return this with { SameSteps = same, FirstStep = parts ? (a[same].Step, a[same].Loss, b[same].Loss) : null };
    }

    private static IReadOnlyList<(long Step, float Loss)> Losses(string folder)
    {
        return RunContents.Find(folder, TensorBoardLog.FileName) is { } path
            ? EventFrame.Scalars(RegularFile.ReadBytes(path, Array.MaxLength), TensorBoardLog.StepLoss)
            : [];
    }

    private static List<(string, string, string)> Differing(IReadOnlyList<KeyValuePair<string, string>> first,
        IReadOnlyList<KeyValuePair<string, string>> second)
    {
        Dictionary<string, string> a = new(first), b = new(second);
        return
        [
            .. from key in first.Concat(second).Select(pair => pair.Key).Distinct()
               where !_incidental.Any(prefix => key.StartsWith(prefix, StringComparison.Ordinal))
               let values = (A: a.GetValueOrDefault(key, ""), B: b.GetValueOrDefault(key, ""))
               where values.A != values.B
               select (key, values.A, values.B),
        ];
    }

    private static string[] Lines(string folder) => RunContents.Find(folder, MetricsLog.EventsName) is { } path
        ? Encoding.UTF8.GetString(RegularFile.ReadBytes(path, Array.MaxLength)).Split('\n', StringSplitOptions.RemoveEmptyEntries)
        : [];

    private static bool? SameFile(string? a, string? b) => a is null || b is null || Path.GetExtension(a) != Path.GetExtension(b) ? null
        : Hash(a).AsSpan().SequenceEqual(Hash(b));

    private static byte[] Hash(string path)
    {
        using var file = RegularFile.Open(path);
        return SHA256.HashData(file);
    }
}
