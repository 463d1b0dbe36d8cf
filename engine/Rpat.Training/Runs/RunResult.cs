namespace Rpat.Training.Runs;

/// <summary>The final evaluations as <c>result.json</c> in the run's folder.</summary>
internal static class RunResult
{
    /// <summary>The file's name.</summary>
    public const string FileName = "result.json";

    private const int MostBytes = 16 << 20;

    /// <summary>Writes them as one step.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public static void Save(string folder, IReadOnlyList<EvaluationResult> results) =>
        AtomicFile.WriteText(Path.Combine(folder, FileName), JsonSerializer.Serialize(results, RunJson.Format) + "\n");

    /// <summary>Reads them; none if there is no file that can be parsed.</summary>
    /// <param name="problem">Receives a sentence on why an existing file is ignored.</param>
    public static IReadOnlyList<EvaluationResult> Read(string folder, Action<string>? problem = null)
    {
        if (RunContents.Find(folder, FileName) is not { } path) return [];
        try
        {
            var results = JsonSerializer.Deserialize<EvaluationResult[]>(RegularFile.ReadBytes(path, MostBytes), RunJson.Format) ?? [];
            return results.All(IsPossible) ? results : throw new JsonException("its numbers are impossible");
        }
        catch (Exception error) when (error is IOException or JsonException or NotSupportedException)
        {
            problem?.Invoke($"{FileName} cannot be read ({error.Message.TrimEnd('.')}): what the run measured at its end is not shown.");
            return [];
        }
    }

    private static bool IsPossible(EvaluationResult? result) =>
        result is { Images: > 0 } && result.Scores.All(score => score is { Title: not null, Accuracy: >= 0 and <= 1 });
}

/// <summary>The result of an evaluation.</summary>
/// <param name="Threat">The threat model, such as <c>linf eps 8/255</c>.</param>
/// <param name="Scores">Accuracies in [0,1] by title, in the order measured.</param>
public sealed record EvaluationResult(int Images, string Threat, IReadOnlyList<Score> Scores)
{
    /// <summary>Which of a run's networks was measured; empty if there is only one.</summary>
    public string Network { get; init; } = "";

    /// <summary>The name of the measurement among the run's metrics.</summary>
    public string Split { get; init; } = "test";

    /// <summary>The columns with Mean and NRR added; if there are several attacks, the lowest accuracy counts as the robust one.</summary>
    public IReadOnlyList<(string Title, double Value)> Columns()
    {
        List<(string, double)> columns = [.. Scores.Select(score => (score.Title, score.Accuracy))];
        var clean = Scores.FirstOrDefault(score => score.IsClean);
        var robust = Scores.Where(score => !score.IsClean).MinBy(score => score.Accuracy);
        if (clean is null || robust is null) return columns;
        columns.Add(("Mean", RobustnessScores.Mean(clean.Accuracy, robust.Accuracy)));
        columns.Add(("NRR", RobustnessScores.Nrr(clean.Accuracy, robust.Accuracy)));
        return columns;
    }
}

/// <summary>One accuracy of an evaluation.</summary>
/// <param name="Title">The column's heading: <c>Clean</c>, <c>PGD-20</c>.</param>
/// <param name="IsClean">Whether no attack was made.</param>
/// <param name="Accuracy">In [0,1].</param>
public sealed record Score(string Title, bool IsClean, double Accuracy);
