using System.Security.Cryptography;
using Rpat.Trainer.Report;
using Rpat.Trainer.Reproduce;

namespace Rpat.Trainer.Studies;

/// <summary>What one row of a study gave: texts by column, and which images its network has right.</summary>
internal sealed record StudyRecord(IReadOnlyDictionary<string, string> Values, IReadOnlyDictionary<string, bool[]> Outcomes)
{
    /// <summary>The outcomes by image: of the run's network without an attack, under the cheaper and under the strong one.</summary>
    public const string Clean = "clean", Pgd = "pgd", Robust = "robust";

    private const int MostBytes = 64 << 20;

    private static readonly string[] _groups = ["success", "failure"],
        _measures = ["images", "d_full", "d_first", "d_second", "rho", "way"];

    // What two runs of a row may have differently.
    private static readonly string[] _circumstances = ["commit", "kernels", "core_seconds"];

    // What the first rows were not measured for, and may lack.
    private static readonly string[] _later = ["last_clean", "last_pgd"];

    private static readonly string[] _texts =
        ["variant", "against", "method", "form", "lambda", "eps", "attack", "monitor", "settings", "commit", "kernels", "weights"];

    /// <summary>The columns of a study's table.</summary>
    public static IReadOnlyList<string> Columns { get; } =
    [
        "row", "variant", "against", "method", "form", "lambda", "seed", "eps", "epochs", "attack", "images", "monitor", "held_out",
        "settings", "commit", "kernels", "weights", Clean, Pgd, Robust, "best_epoch", "last_clean", "last_pgd", "validation",
        "core_seconds", "alphas", .. _groups.SelectMany(group => _measures.Select(measure => $"{group}_{measure}")),
    ];

    /// <summary>The record itself.</summary>
    /// <exception cref="FormatException">A number is none, or an outcome is missing.</exception>
    public StudyRecord Checked()
    {
        foreach (string column in Columns.Except(_texts))
            try
            {
                _ = Numbers(column);
            }
            catch (FormatException error)
            {
                throw new FormatException($"'{column}' of row {this["row"]} is '{this[column]}', which is no number", error);
            }
        return new[] { Clean, Pgd, Robust }.FirstOrDefault(name => !Outcomes.ContainsKey(name)) is { } missing
            ? throw new FormatException($"row {this["row"]} has no outcome '{missing}'") : this;
    }

    /// <summary>A column's text.</summary>
    public string this[string column] => Values[column];

    /// <summary>The row's number.</summary>
    public int Row => (int)Number("row");

    /// <summary>A column's number; NaN where it has none.</summary>
    public double Number(string column) => Numbers(column) is [var only] ? only : double.NaN;

    /// <summary>A column's numbers.</summary>
    public IReadOnlyList<double> Numbers(string column) =>
    [
        .. this[column].Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(text => double.Parse(text, CultureInfo.InvariantCulture)),
    ];

    /// <summary>The columns in which two runs of a row differ, but for what the weights do not determine and the first rows lack.</summary>
    public IReadOnlyList<string> Differing(StudyRecord other) =>
    [
        .. Columns.Except(_circumstances).Except(_later.Where(column => this[column].Length == 0))
            .Where(column => this[column] != other[column]),
        .. Outcomes.Keys.Where(name => !Outcomes[name].SequenceEqual(other.Outcomes[name])).Select(name => $"images of {name}"),
    ];

    /// <summary>Collects what a finished row's files say.</summary>
    /// <param name="coreSeconds">Processor time of its steps.</param>
    public static StudyRecord Of(StudyRow row, ReproduceJob job, double coreSeconds)
    {
        string run = job.Run!;
        var monitor = ImageOutcomes.OfEvaluation(row.Monitor(job).Folder);
        var strong = ImageOutcomes.OfEvaluation(row.Strong(job).Folder);
        var outcomes = new Dictionary<string, bool[]>
        {
            [Clean] = monitor.Single(pair => pair.Key.Column == ImageOutcomes.Clean).Value,
            [Pgd] = monitor.Single(pair => pair.Key.Column != ImageOutcomes.Clean).Value,
            [Robust] = strong.Single(pair => pair.Key.Column != ImageOutcomes.Clean).Value,
        };
        var values = new Dictionary<string, string>();
        foreach (var (column, value) in Plan(row, job).Concat(Run(run)).Concat(Last(row, job)).Concat(Perception(job))
            .Concat(outcomes.Select(pair => (pair.Key, (object)Share(pair.Value)))).Append(("core_seconds", Math.Round(coreSeconds))))
            values[column] = Convert.ToString(value, CultureInfo.InvariantCulture)!;
        return new(values, outcomes);
    }

    /// <summary>SHA-256 of a network's tensors by name; what else its file says does not count.</summary>
    public static string HashOf(string file)
    {
        using var tensors = Safetensors.Read(file);
        return EvaluationManifest.HashOf([.. tensors.Tensors.Keys.Order(StringComparer.Ordinal)
            .SelectMany(name => new[] { Encoding.UTF8.GetBytes(name), tensors.Load(name).Data.ToArray() })]);
    }

    private static IEnumerable<(string, object)> Plan(StudyRow row, ReproduceJob job)
    {
        var (config, study) = (job.Config, row.Study);
        bool term = config.Method.HasRpat;
        string form = ConfigKeys.Of(c => c.Method.Rpat.Form).Path, weight = ConfigKeys.Of(c => c.Method.Rpat.Weight).Path;
        return
        [
            ("row", row.Number), ("variant", row.Variant.Name), ("against", row.Variant.Against), ("method", config.Method.Name),
            ("form", term ? job.Resolved.Values[form].Text : ""), ("lambda", term ? job.Resolved.Values[weight].Text : ""),
            ("seed", row.Seed), ("eps", Format.Pixels(config.Attack.Eps)), ("epochs", config.Train.Epochs), ("attack", study.Strong.Name),
            ("images", study.Strong.Images), ("monitor", study.Monitor.Name), ("held_out", study.Monitor.Images),
            ("settings", row.Settings(job)),
        ];
    }

    private static IEnumerable<(string, object)> Run(string run)
    {
        var record = RunRecord.Read(run)!;
        var validation = MetricEvent.Read(Path.Combine(run, MetricsLog.EventsName)).Where(one => one.Split == "val").ToList();
        var best = validation.MaxBy(one => one.Values[^1].Value);
        return
        [
            ("commit", record.Machine.Version[(record.Machine.Version.IndexOf('+') + 1)..]),
            ("kernels", record.Compute.Kernels.Replace(',', ';')), ("weights", HashOf(Path.Combine(run, CheckpointFile.Name))),
            ("validation", Text(validation.Select(one => one.Values[^1].Value))), ("best_epoch", best is null ? "" : best.Epoch),
        ];
    }

    private static IEnumerable<(string, object)> Last(StudyRow row, ReproduceJob job)
    {
        var last = ImageOutcomes.OfEvaluation((row.Last(job).IsDone ? row.Last(job) : row.Monitor(job)).Folder);
        object Of(bool clean) => Share(last.Single(pair => pair.Key.Column == ImageOutcomes.Clean == clean).Value);
        return [("last_clean", Of(clean: true)), ("last_pgd", Of(clean: false))];
    }

    private static IEnumerable<(string, object)> Perception(ReproduceJob job)
    {
        using var json = JsonDocument.Parse(RegularFile.ReadBytes(StudyRow.PerceptionFile(job), MostBytes));
        var measured = json.RootElement[0];
        var logits = measured.GetProperty("spaces")[0].GetProperty("groups").EnumerateArray().ToList();
        List<(string, object)> values = [("alphas", Text(measured.GetProperty("alphas").EnumerateArray().Select(Number)))];
        foreach (string name in _groups)
        {
            var group = logits.Single(one => one.GetProperty("group").GetString() == name);
            foreach (string measure in _measures) values.Add(($"{name}_{measure}", Text(Numbers(group.GetProperty(Key(measure))))));
        }
        return values;
    }

    private static string Key(string measure) => measure == "way" ? "curve" : measure;

    private static IEnumerable<double> Numbers(JsonElement value) =>
        value.ValueKind == JsonValueKind.Array ? value.EnumerateArray().Select(Number) : [Number(value)];

    // Values that are not finite are stored as text.
    private static double Number(JsonElement value) => value.ValueKind == JsonValueKind.Number ? value.GetDouble() : double.NaN;

    private static string Text(IEnumerable<double> values) =>
        string.Join(' ', values.Select(value => value.ToString("G6", CultureInfo.InvariantCulture)));

    private static double Share(bool[] right) => (double)right.Count(one => one) / right.Length;
}
