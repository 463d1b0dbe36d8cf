namespace Rpat.Trainer.Report;

/// <summary>What runs are called next to each other: by their method, then by the settings that tell them apart.</summary>
internal static class RunLabels
{
    private const int Most = 3;

    // Keys that differ between any two runs without being informative.
    private static readonly string[] _incidental = ["run.", "log.", "recipe.", "checkpoint.", "data.dir"];

    private static readonly string _method = ConfigKeys.Of(c => c.Method.Name).Path;

    /// <summary>The key of the seed.</summary>
    public static string Seed { get; } = ConfigKeys.Of(c => c.Train.Seed).Path;

    /// <summary>The settings in which runs differ.</summary>
    public static IReadOnlyList<string> Differing(IReadOnlyList<RunData> runs) =>
    [
        .. runs.SelectMany(run => run.Settings.Select(pair => pair.Key)).Distinct()
            .Where(key => !_incidental.Any(prefix => key.StartsWith(prefix, StringComparison.Ordinal))
                && runs.Where(run => run.Checkpoint is null || run.Setting(key).Length > 0)
                    .Select(run => run.Setting(key)).Distinct().Count() > 1),
    ];

    /// <summary>A label for each run, no two the same.</summary>
    public static string[] Of(IReadOnlyList<RunData> runs)
    {
        string[] labels = [.. runs.Select(run => run.Setting(_method) is { Length: > 0 } name ? name : run.Name)];
        int said = 0;
        foreach (string key in Differing(runs).Where(key => key != _method).OrderBy(Place))
        {
            if (IsUnique(labels)) return labels;
            if (said == Most || !Tells(runs, labels, key)) continue;
            labels = [.. runs.Select((run, i) => Joined(labels[i], Said(key, run.Setting(key))))];
            said++;
        }

        labels = [.. runs.Select((run, i) => labels.Count(label => label == labels[i]) > 1 ? $"{labels[i]}, {run.Name}" : labels[i])];
        return IsUnique(labels) ? labels : [.. labels.Select((label, i) => FormattableString.Invariant($"{label} ({i + 1})"))];
    }

    /// <summary>
    /// The fewest settings, besides those that are shown anyway, by which runs of which no mean may be taken are told apart: all that
    /// affect the result count but the seed and the device.
    /// </summary>
    public static IReadOnlyList<string> Parting(IReadOnlyList<RunData> runs, params ReadOnlySpan<string> shown)
    {
        string[] names = [.. shown];
        string[] labels = [.. runs.Select(run => string.Join('\n', names.Select(run.Setting).Append(run.Checkpoint)))];
        List<string> keys = [];
        foreach (string key in Differing(runs).Where(Counts).OrderBy(Place))
        {
            if (!Tells(runs, labels, key)) continue;
            keys.Add(key);
            labels = [.. runs.Select((run, i) => $"{labels[i]}\n{run.Setting(key)}")];
        }
        return keys;
    }

    /// <summary>All settings that affect the result, but seed and device, in which runs of which a mean is taken differ.</summary>
    public static IReadOnlyList<string> Mixed(IReadOnlyList<RunData> runs) =>
        Parting(runs).Count == 0 ? [] : [.. Differing(runs).Where(Counts).OrderBy(Place)];

    /// <summary>A setting's value as it stands behind a name: <c>weight 10</c>; nothing for a run that does not have it.</summary>
    public static string Said(string key, string value) => value.Length == 0 ? "" : key is "data.name" or "model.name" ? value
        : $"{key[(key.LastIndexOf('.') + 1)..]} {value}";

    /// <summary>The runs without those that repeat another's settings and seed, which are no further samples.</summary>
    /// <param name="note">Receives a sentence on each that is left out.</param>
    public static IReadOnlyList<RunData> Once(IReadOnlyList<RunData> runs, Action<string> note)
    {
        string[] keys = [.. Parting(runs), Seed];
        return
        [
            .. runs.GroupBy(run => run.Checkpoint ?? string.Join('\n', keys.Select(run.Setting))).Select(same =>
            {
                var kept = same.OrderBy(run => run.AnyResult is not null).ThenBy(run => run.Record?.End is not null).Last();
                foreach (var other in same.Where(run => !ReferenceEquals(run, kept)))
                    note($"'{other.Name}' counts once with '{kept.Name}': equal settings and seed.");
                return kept;
            }),
        ];
    }

    /// <summary>Whether a key affects what a run's accuracy is a sample of: all that do affect the result, but the seed.</summary>
    public static bool Counts(string key) => !_incidental.Any(prefix => key.StartsWith(prefix, StringComparison.Ordinal))
        && key != Seed && key != ConfigKeys.Of(c => c.Device.Name).Path
        && (!ResumeRules.IsFree(key) || key == ConfigKeys.Of(c => c.Train.MaxSteps).Path);

    // A key that does not part any two runs of the same label says nothing more.
    private static bool Tells(IReadOnlyList<RunData> runs, string[] labels, string key) =>
        runs.Select((run, i) => (labels[i], run.Setting(key))).Distinct().Count() > labels.Distinct().Count();

    private static int Place(string key) => key.StartsWith("data.name", StringComparison.Ordinal) || key.StartsWith("model.name",
        StringComparison.Ordinal) ? 0 : key.StartsWith("method.", StringComparison.Ordinal) ? 1 : key == "train.seed" ? 3 : 2;

    private static string Joined(string label, string said) => said.Length > 0 ? $"{label}, {said}" : label;

    private static bool IsUnique(string[] labels) => labels.Distinct().Count() == labels.Length;
}
