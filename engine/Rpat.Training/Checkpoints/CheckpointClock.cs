using System.Diagnostics;

namespace Rpat.Training.Checkpoints;

/// <summary>When checkpoints are due: at steps and epochs, which every run of a configuration has in common, and by the clock.</summary>
internal sealed class CheckpointClock(CheckpointSection config)
{
    private long _last = Stopwatch.GetTimestamp();

    /// <summary>Whether the configuration plans one after this step.</summary>
    public bool IsPlannedAt(int step) => config.Steps > 0 && step % config.Steps == 0;

    /// <summary>Whether the configuration plans one at the end of this epoch.</summary>
    public bool IsPlannedAfter(int epoch) => config.Epochs > 0 && epoch % config.Epochs == 0;

    /// <summary>Whether one is overdue by the clock.</summary>
    public bool IsOverdue() => config.Seconds > 0 && Stopwatch.GetElapsedTime(_last).TotalSeconds >= config.Seconds;

    /// <summary>One was written.</summary>
    public void Restart() => _last = Stopwatch.GetTimestamp();
}
