namespace Rpat.Training;

/// <summary>What changes while a run trains, except for the arrays of network and method.</summary>
internal sealed class RunState(TrainingStep step)
{
    /// <summary>Batches that were trained on.</summary>
    public int Step { get; set; }

    /// <summary>The epoch that the next step belongs to, counted from 1.</summary>
    public int Epoch { get; private set; } = 1;

    /// <summary>Whether the epoch is trained, and only its validation is missing.</summary>
    public bool IsEpochTrained { get; set; }

    /// <summary>The statistics of the epoch so far.</summary>
    public EpochStatistics Statistics { get; private set; } = new(step);

    /// <summary>The divergence guard's state.</summary>
    public GuardState Guard { get; set; } = GuardState.New;

    /// <summary>The results of validation.</summary>
    public MonitorState Monitor { get; set; } = MonitorState.New;

    /// <summary>Advances to the next epoch.</summary>
    public void NextEpoch() => (Epoch, IsEpochTrained, Statistics) = (Epoch + 1, false, new EpochStatistics(step));

    /// <summary>The state that a checkpoint stores.</summary>
    public TrainerState Standing(bool planned, RunIdentity identity, IReadOnlyDictionary<string, long> files) =>
        new(Step, Epoch, planned, identity, files, Statistics.Sums, Guard, Monitor, IsEpochTrained);

    /// <summary>Resumes from a checkpoint.</summary>
    public void Take(TrainerState standing)
    {
        (Step, Epoch, Statistics) = (standing.Step, standing.Epoch, new EpochStatistics(step, standing.Sums));
        (Guard, Monitor, IsEpochTrained) = (standing.Guard, standing.Monitor, standing.IsEpochTrained);
    }
}
