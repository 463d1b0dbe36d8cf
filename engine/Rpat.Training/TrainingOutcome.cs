namespace Rpat.Training;

/// <summary>How a training run ended.</summary>
/// <param name="Results">The final evaluations; none when the run stopped before them.</param>
/// <param name="Interrupted">Whether it returned early because it was asked to.</param>
internal sealed record TrainingOutcome(IReadOnlyList<EvaluationResult> Results, bool Interrupted = false);
