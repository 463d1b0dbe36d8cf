namespace Rpat.Training.Progress;

/// <summary>One measured number. Accuracies are in [0,1] and are shown as percentages.</summary>
/// <param name="Name">Such as <c>loss</c>, <c>clean_acc</c>.</param>
public readonly record struct Metric(string Name, double Value);

/// <summary>The progress of a phase: everything that a view shows between two epochs.</summary>
/// <param name="Phase"><c>train</c>, or what is evaluated, such as <c>eval pgd20</c>.</param>
/// <param name="Epoch">The epoch, counted from 1.</param>
/// <param name="Step">Steps done in this phase.</param>
/// <param name="Steps">Steps in this phase.</param>
/// <param name="Lr">The learning rate of the last step.</param>
/// <param name="Loss">The running mean of the loss.</param>
/// <param name="LossParts">The loss's terms, weighted, so that they add up to it.</param>
/// <param name="Accuracies">Running means, in [0,1].</param>
/// <param name="Elapsed">Time since the run began.</param>
/// <param name="Remaining">Estimated time to the end of the run.</param>
public sealed record ProgressSnapshot(
    string Phase,
    int Epoch,
    int Epochs,
    int Step,
    int Steps,
    double Lr,
    double Loss,
    IReadOnlyList<Metric> LossParts,
    IReadOnlyList<Metric> Accuracies,
    double ImagesPerSecond,
    TimeSpan Elapsed,
    TimeSpan Remaining)
{
    /// <summary>Memory that the process uses; 0 if it is not shown.</summary>
    public long MemoryBytes { get; init; }
}

/// <summary>A finished epoch.</summary>
/// <param name="Epoch">The epoch, counted from 1.</param>
/// <param name="Lr">The learning rate at its end.</param>
/// <param name="LossParts">The means of the loss's weighted terms.</param>
/// <param name="Accuracies">Means, in [0,1].</param>
public sealed record EpochSummary(
    int Epoch,
    int Epochs,
    double Lr,
    double Loss,
    IReadOnlyList<Metric> LossParts,
    IReadOnlyList<Metric> Accuracies,
    double ImagesPerSecond,
    TimeSpan Time);
