using Rpat.Robust;

namespace Rpat.Training.Runs;

/// <summary>What an evaluation found.</summary>
/// <param name="Images">How many held-out images.</param>
/// <param name="Threat">The threat model, such as <c>linf eps 8/255</c>.</param>
/// <param name="Scores">Accuracies in [0,1] by title, in the order measured.</param>
internal sealed record EvaluationResult(int Images, string Threat, IReadOnlyList<Score> Scores)
{
    /// <summary>Which of a run's networks was measured; empty where there is only one.</summary>
    public string Network { get; init; } = "";

    /// <summary>The name of the measurement among the run's metrics.</summary>
    public string Split { get; init; } = "test";

    /// <summary>The columns with Mean and NRR added; of several attacks the lowest accuracy counts as the robust one.</summary>
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
internal sealed record Score(string Title, bool IsClean, double Accuracy);
