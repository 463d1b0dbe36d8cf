namespace Rpat.Training.Evaluation;

/// <summary>One cell of the grid: the images of a corruption at a severity that are classified correctly.</summary>
internal sealed record CorruptionCell(string Name, int Severity, int Correct);

/// <summary>
/// Accuracy on corruptions, kept as <c>corruptions.json</c> beside the manifest of its evaluation. It is written after each cell, so that
/// an evaluation that was stopped can be resumed.
/// </summary>
/// <param name="Images">Images of each cell.</param>
/// <param name="Names">The corruptions that are measured.</param>
/// <param name="Cells">What is measured so far, corruption by corruption.</param>
internal sealed record CorruptionReport(int Images, IReadOnlyList<string> Names, IReadOnlyList<CorruptionCell> Cells)
{
    /// <summary>Name in the evaluation's folder.</summary>
    public const string FileName = "corruptions.json";

    private const int MostBytes = 1 << 20;

    /// <summary>Whether nothing is left to measure.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public bool IsWhole => Cells.Count == Names.Count * Corruptions.Severities;

    /// <summary>The mean over all cells.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public double Mean => Cells.Average(Share);

    /// <summary>What was measured, in words.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public string Title => FormattableString.Invariant(
        $"{Names.Count} corruptions x {Corruptions.Severities} severities of {Images} images");

    /// <summary>Which corruptions; empty for all that there are.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public string Part => Names.Count == Corruptions.Known.All().Count() ? "" : string.Join(", ", Names);

    /// <summary>A cell's accuracy, of 1.</summary>
    public double Share(CorruptionCell cell) => (double)cell.Correct / Images;

    /// <summary>A row for each corruption: its accuracy at each severity, then their mean.</summary>
    public IEnumerable<(string Name, IReadOnlyList<double> Shares)> Rows() => Cells.GroupBy(cell => cell.Name)
        .Select(row => (row.Key, (IReadOnlyList<double>)[.. row.Select(Share), row.Average(Share)]));

    /// <summary>What an evaluation on these corruptions is called.</summary>
    public static string NameOf(Corruptions set)
    {
        string some = set.Names.Count == Corruptions.Known.All().Count() ? "" : $"-{string.Join('+', set.Names)}";
        return FormattableString.Invariant($"corruptions{some}-n{set.Images}");
    }

    /// <summary>The manifest of an evaluation of a network.</summary>
    public static EvaluationManifest Manifest(string file, string hash, WeightChoice choice, int classes, Corruptions set)
    {
        var manifest = new EvaluationManifest(EvaluationManifest.Layout, Path.GetFullPath(file), hash, set.Folder, set.Hash, set.Images, "",
            [], [], set.Names, set.Names, [])
        { Classes = classes, Network = choice.Said() };
        return manifest with { Settings = [.. manifest.Describe(), .. set.Names.Select(name => $"corruption {name}")] };
    }

    /// <summary>What a folder holds; null if that is no evaluation on corruptions.</summary>
    /// <exception cref="DataException">It is damaged.</exception>
    public static CorruptionReport? In(string folder)
    {
        if (RunContents.Find(folder, FileName) is not { } path) return null;
        try
        {
            var report = JsonSerializer.Deserialize<CorruptionReport>(RegularFile.ReadBytes(path, MostBytes), RunJson.Format);
            return report is { Images: > 0 } && report.Cells.All(cell => cell is { Correct: >= 0 } && cell.Correct <= report.Images)
                ? report : throw new JsonException("its numbers are impossible");
        }
        catch (JsonException error)
        {
            throw new DataException($"'{path}' is damaged: measure it again.", error);
        }
    }

    /// <summary>Whether a folder holds a whole evaluation on corruptions; a damaged one is none.</summary>
    public static bool IsWholeIn(string folder)
    {
        try
        {
            return In(folder) is { IsWhole: true };
        }
        catch (DataException)
        {
            return false;
        }
    }

    /// <summary>Whether a folder holds this evaluation, of the same weights, images and corruptions, begun or whole.</summary>
    public static bool IsOf(string folder, EvaluationManifest manifest) =>
        Verification.ManifestOf(folder).Settings.SequenceEqual(manifest.Settings);

    /// <summary>Measures what a folder does not hold yet.</summary>
    /// <param name="log">Receives a line after each corruption.</param>
    /// <param name="tick">Called before each cell; may cancel by throwing.</param>
    /// <exception cref="DataException">The folder holds another evaluation.</exception>
    public static CorruptionReport Measure(Classifier net, Corruptions set, EvaluationManifest manifest, string folder, int batch,
        bool resume, Action<string> log, Action tick)
    {
        if (Path.Exists(Path.Combine(folder, EvaluationManifest.FileName)) && !(resume && IsOf(folder, manifest)))
            throw new DataException($"'{folder}' holds another evaluation already: choose another --out.");
        AtomicFile.MakeFolder(folder);
        AtomicFile.WriteText(Path.Combine(folder, EvaluationManifest.FileName), JsonSerializer.Serialize(manifest, RunJson.Format) + "\n");
        var report = In(folder) ?? new(set.Images, set.Names, []);
        using var evaluator = new Evaluator(net, batch);
        foreach (string name in set.Names.Where(name => report.Cells.Count(cell => cell.Name == name) < Corruptions.Severities))
        {
            foreach (var (i, images) in set.Read(name, net.Classes).Index())
            {
                if (report.Cells.Any(cell => cell.Name == name && cell.Severity == i + 1)) continue;
                tick();
                report = report with { Cells = [.. report.Cells, new(name, i + 1, evaluator.Run(images).Correct)] };
                AtomicFile.WriteText(Path.Combine(folder, FileName), JsonSerializer.Serialize(report, RunJson.Format) + "\n");
            }
            var shares = report.Cells.TakeLast(Corruptions.Severities).Select(report.Share);
            log($"{name}: {string.Join(' ', shares.Select(Format.Percent))}");
        }
        return report;
    }

    /// <summary>Writes the grid in the leaderboard's form: a line of corruptions, one of severities, one of accuracies.</summary>
    public void WriteCsv(string path, string model)
    {
        var text = new StringBuilder();
        text.Append("corruption,").AppendJoin(',', Cells.Select(c => c.Name)).Append('\n');
        text.Append("severity,").AppendJoin(',', Cells.Select(c => c.Severity)).Append('\n');
        text.Append(Format.CsvCell(model)).Append(',').AppendJoin(',', Cells.Select(c => Share(c).ToString("R", CultureInfo.InvariantCulture)))
            .Append('\n');
        AtomicFile.WriteText(path, text.ToString());
    }
}
