using System.Text.Json;
using Rpat.Robust;
using Rpat.Trainer.Config;
using Rpat.Trainer.Errors;
using Rpat.Trainer.Runs;
using Rpat.Trainer.Training;
using Rpat.Trainer.View;

namespace Rpat.Trainer.Report;

/// <summary>One event of a run's metrics.</summary>
internal sealed record MetricEvent(string Split, long Step, int Epoch, IReadOnlyList<Metric> Values);

/// <summary>A picture of a run, whose bytes go into the report.</summary>
internal sealed record RunPicture(string Name, string MediaType, byte[] Bytes);

/// <summary>Everything that a run folder says about a run; what is missing or cannot be read is left out and named.</summary>
/// <param name="Folder">The folder.</param>
/// <param name="Name">Its name.</param>
/// <param name="Record">How and where it ran.</param>
/// <param name="Settings">Every key with its value.</param>
/// <param name="Events">Its metrics while it was trained, in order.</param>
/// <param name="Accuracies">Its results: of the evaluation at its end, then of each later one.</param>
/// <param name="Pictures">Adversarial examples.</param>
/// <param name="Perception">Perception curves, where they were measured.</param>
/// <param name="Warnings">What to know before trusting it.</param>
internal sealed record RunData(
    string Folder, string Name, RunRecord? Record, IReadOnlyList<KeyValuePair<string, string>> Settings, IReadOnlyList<MetricEvent> Events,
    IReadOnlyList<MeasuredAccuracy> Accuracies, IReadOnlyList<RunPicture> Pictures, IReadOnlyList<PerceptionCurves> Perception, IReadOnlyList<string> Warnings)
{
    private const string EndOfRun = "end of the run";

    private static readonly JsonSerializerOptions _snake = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <summary>The value of a key, or nothing.</summary>
    public string Setting(string key) => Settings.FirstOrDefault(pair => pair.Key == key).Value ?? "";

    /// <summary>A curve of the metrics: epoch and value.</summary>
    public IReadOnlyList<(double X, double Y)> Curve(string split, string metric) =>
    [
        .. from e in Events
           where e.Split == split
           from value in e.Values
           where value.Name == metric
           select ((double)e.Epoch, value.Value),
    ];

    /// <summary>The clean accuracy of the evaluation that counts.</summary>
    public MeasuredAccuracy? Clean => Counting.FirstOrDefault(a => a.IsClean);

    /// <summary>The accuracy under the strongest attack of the evaluation that counts: the lowest one.</summary>
    public MeasuredAccuracy? Robust => Counting.Where(a => !a.IsClean && a.Depth == 0).OrderBy(a => a.Value).ThenByDescending(IsAutoAttack).FirstOrDefault();

    /// <summary>Whether an accuracy is AutoAttack's.</summary>
    public static bool IsAutoAttack(MeasuredAccuracy a) => a.Depth == 0 && a.Attack.Contains("AutoAttack", StringComparison.OrdinalIgnoreCase);

    // Mean and NRR join a clean and a robust accuracy of the same images: one with AutoAttack where there is one, then that of most images.
    private IEnumerable<MeasuredAccuracy> Counting => Accuracies.GroupBy(a => a.Source)
        .OrderByDescending(source => source.Any(IsAutoAttack)).ThenByDescending(source => source.Any(a => !a.IsClean)).ThenByDescending(source => source.First().Images)
        .FirstOrDefault() ?? (IEnumerable<MeasuredAccuracy>)[];

    /// <summary>Reads a run folder.</summary>
    /// <exception cref="UsageException">The folder is no run.</exception>
    public static RunData Load(string folder)
    {
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        string config = Path.Combine(full, RunFolder.ConfigName);
        if (!File.Exists(config)) throw new UsageException($"'{folder}' is not a run folder, it has no {RunFolder.ConfigName}: give a folder that 'rpat train' made.");
        var warnings = new List<string>();
        var record = RunRecord.Read(full);
        string kept = Path.Combine(full, RunFolder.WarningsName);
        if (File.Exists(kept)) warnings.AddRange(File.ReadAllLines(kept));
        var results = RunResult.Read(full);
        var accuracies = Results(results).Concat(Evaluations(full, warnings)).ToList();
        var data = new RunData(
            full, Path.GetFileName(full), record, Keyed(config), Metrics(Path.Combine(full, "metrics.jsonl"), [.. results.Select(r => r.Split)]), accuracies,
            Files(Path.Combine(full, "images"), "*.png", "image/png"), PerceptionCurves.Read(full), warnings);
        warnings.AddRange(RunWarnings.Of(data));
        return data;
    }

    private static List<KeyValuePair<string, string>> Keyed(string path)
    {
        Layer layer = YamlLayer.Read(File.ReadAllText(path), path);
        return [.. layer.Entries.Values.Select(entry => KeyValuePair.Create(entry.Path, entry.Text))];
    }

    // What was measured at the end stands for one epoch only: it is among the results, not among the curves.
    private static List<MetricEvent> Metrics(string path, string[] results)
    {
        List<MetricEvent> events = [];
        foreach (string line in File.Exists(path) ? File.ReadLines(path) : [])
            if (Event(line) is { } one && !results.Contains(one.Split)) events.Add(one);
        return events;
    }

    // A last line that was cut short is none.
    private static MetricEvent? Event(string line)
    {
        try
        {
            using var json = JsonDocument.Parse(line);
            JsonElement root = json.RootElement;
            Metric[] values = [.. root.EnumerateObject().Where(p => p.Name is not ("step" or "epoch" or "split"))
                .Select(p => new Metric(p.Name, p.Value.ValueKind == JsonValueKind.Number ? p.Value.GetDouble() : double.NaN))];
            return new(root.GetProperty("split").GetString()!, root.GetProperty("step").GetInt64(), root.GetProperty("epoch").GetInt32(), values);
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return null;
        }
    }

    private static IEnumerable<MeasuredAccuracy> Results(IReadOnlyList<EvaluationResult> results) =>
        from result in results
        from s in result.Scores
        let source = result.Network.Length == 0 ? EndOfRun : $"{EndOfRun}, {result.Network}"
        select new MeasuredAccuracy(s.Title, s.IsClean ? "" : result.Threat, (int)Math.Round(s.Accuracy * result.Images), result.Images, source);

    private static IEnumerable<MeasuredAccuracy> Evaluations(string folder, List<string> warnings)
    {
        string root = Path.Combine(folder, "eval");
        string[] folders = Directory.Exists(root) ? [.. Directory.GetDirectories(root).Order(StringComparer.Ordinal)] : [];
        return folders.SelectMany(path => Evaluation(path, warnings)).ToList();
    }

    private static IEnumerable<MeasuredAccuracy> Evaluation(string folder, List<string> warnings)
    {
        string name = Path.GetFileName(folder), result = Path.Combine(folder, EvaluationReport.FileName);
        try
        {
            if (!File.Exists(result))
            {
                warnings.Add($"The evaluation {name} has not finished: its result is not shown.");
                return [];
            }

            var report = JsonSerializer.Deserialize<EvaluationReport>(File.ReadAllBytes(result), _snake)!;
            var manifest = JsonSerializer.Deserialize<EvaluationManifest>(File.ReadAllBytes(Path.Combine(folder, EvaluationManifest.FileName)), _snake)!;
            warnings.AddRange(report.Warnings.Select(w => $"{name}: {w.Message}"));
            warnings.AddRange(report.SelfTest.Where(c => !c.Passed).Select(c => $"{name}: the self-test '{c.Name}' failed: {c.Finding}"));
            return Counted(name, report, manifest);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or JsonException)
        {
            warnings.Add($"The evaluation {name} cannot be read: {error.Message}");
            return [];
        }
    }

    private static IEnumerable<MeasuredAccuracy> Counted(string name, EvaluationReport report, EvaluationManifest manifest)
    {
        yield return new("Clean", "", report.CleanCorrect, report.Images, name);
        foreach (ColumnResult column in report.Columns)
        {
            string threat = $"{manifest.Norm} eps {manifest.Eps[column.Eps]}";
            yield return new(Title(column.Label), threat, column.Robust, report.Images, name);
            if (column.Stages.Count < 2) continue;
            foreach (StageResult stage in column.Stages) yield return new($"after {stage.Attack}", threat, stage.Robust, report.Images, name, 1);
        }
    }

    // "aa-standard" and "pgd20" are what the ledger calls them.
    private static string Title(string label) =>
        label.StartsWith("aa-", StringComparison.Ordinal) ? $"AutoAttack {label[3..]}"
        : label.StartsWith("pgd", StringComparison.Ordinal) && label[3..].All(char.IsAsciiDigit) ? $"PGD-{label[3..]}"
        : label;

    private static List<RunPicture> Files(string folder, string pattern, string type) => Directory.Exists(folder)
        ? [.. Directory.GetFiles(folder, pattern).Order(StringComparer.Ordinal).Select(path => new RunPicture(Path.GetFileNameWithoutExtension(path), type, File.ReadAllBytes(path)))]
        : [];
}
