using System.Text.Json;

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

    /// <summary>Reads them; none where there is no file that can be understood.</summary>
    /// <param name="folder">The run's folder.</param>
    /// <param name="problem">Told in a sentence why a file that is there is left out.</param>
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
