namespace Rpat.Trainer.Report;

/// <summary>What runs are called next to each other: by their method, then by the settings that tell them apart.</summary>
internal static class RunLabels
{
    private const int Most = 3;

    // Keys that differ between any two runs without being informative.
    private static readonly string[] _incidental = ["run.", "log.", "recipe.", "checkpoint.", "data.dir"];

    /// <summary>The settings in which runs differ.</summary>
    public static IReadOnlyList<string> Differing(IReadOnlyList<RunData> runs) =>
    [
        .. runs.SelectMany(run => run.Settings.Select(pair => pair.Key)).Distinct()
            .Where(key => !_incidental.Any(prefix => key.StartsWith(prefix, StringComparison.Ordinal))
                && runs.Select(run => run.Setting(key)).Distinct().Count() > 1),
    ];

    /// <summary>A label for each run, no two the same.</summary>
    public static string[] Of(IReadOnlyList<RunData> runs)
    {
        string method = ConfigKeys.Of(c => c.Method.Name).Path;
        string[] labels = [.. runs.Select(run => run.Setting(method) is { Length: > 0 } name ? name : run.Name)];
        foreach (string key in Differing(runs).Where(key => key != method).OrderBy(Place).Take(Most))
        {
            if (IsUnique(labels)) return labels;
            if (Tells(runs, labels, key)) labels = [.. runs.Select((run, i) => $"{labels[i]}, {Said(key, run.Setting(key))}")];
        }

        if (!IsUnique(labels)) labels = [.. runs.Select((run, i) => $"{labels[i]}, {run.Name}")];
        return IsUnique(labels) ? labels : [.. labels.Select((label, i) => FormattableString.Invariant($"{label} ({i + 1})"))];
    }

    // A key that does not part any two runs of the same label says nothing more.
    private static bool Tells(IReadOnlyList<RunData> runs, string[] labels, string key) =>
        runs.Select((run, i) => (labels[i], run.Setting(key))).Distinct().Count() > labels.Distinct().Count();

    private static int Place(string key) => key.StartsWith("data.name", StringComparison.Ordinal) || key.StartsWith("model.name",
        StringComparison.Ordinal) ? 0 : key.StartsWith("method.", StringComparison.Ordinal) ? 1 : key == "train.seed" ? 3 : 2;

    private static string Said(string key, string value) => key is "data.name" or "model.name" ? value
        : $"{key[(key.LastIndexOf('.') + 1)..]} {(value.Length > 0 ? value : "none")}";

    private static bool IsUnique(string[] labels) => labels.Distinct().Count() == labels.Length;
}
