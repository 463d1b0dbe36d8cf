using Rpat.Training;
using Rpat.Training.Progress;

namespace Rpat.Samples.Snippets;

/// <summary>A training that resumes.</summary>
public static class ResumableTraining
{
    /// <summary>Trains a new run, or the unfinished one of that name from its newest checkpoint on: the bits are the same.</summary>
    public static TrainingOutcome Train(IReadOnlyList<string> settings, IProgressView progress, CancellationToken stop)
    {
        using var job = TrainingJob.Open(["recipe=fashion-quick", "run.name=mine", "checkpoint.steps=20", .. settings]);
        TrainingOutcome outcome = job.Train(progress, stop);
        if (outcome.Interrupted) Console.WriteLine($"stopped: the same call resumes {job.Folder}");
        foreach (var score in outcome.Results.SelectMany(result => result.Scores)) Console.WriteLine($"{score.Title} {score.Accuracy:P1}");
        return outcome;
    }
}
