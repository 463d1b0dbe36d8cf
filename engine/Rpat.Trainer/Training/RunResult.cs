using System.Text.Json;
using Rpat.Engine.IO;
using Rpat.Trainer.View;

namespace Rpat.Trainer.Training;

/// <summary>The final evaluations as <c>result.json</c> in the run's folder.</summary>
internal static class RunResult
{
    /// <summary>The file's name.</summary>
    public const string FileName = "result.json";

    private static readonly JsonSerializerOptions _format = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <summary>Writes them as one step.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public static void Save(string folder, IReadOnlyList<EvaluationResult> results) =>
        AtomicFile.WriteText(Path.Combine(folder, FileName), JsonSerializer.Serialize(results, _format) + "\n");

    /// <summary>Reads them; none where there is no file that can be understood.</summary>
    public static IReadOnlyList<EvaluationResult> Read(string folder)
    {
        string path = Path.Combine(folder, FileName);
        try
        {
            return File.Exists(path) ? JsonSerializer.Deserialize<EvaluationResult[]>(File.ReadAllBytes(path), _format) ?? [] : [];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or JsonException)
        {
            return [];
        }
    }
}
