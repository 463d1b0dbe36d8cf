using System.Diagnostics;

namespace Rpat.Trainer.Training;

/// <summary>How fast this process trains in an epoch, whose first part an earlier process may have trained.</summary>
internal sealed class Pace(Stopwatch clock, EpochStatistics statistics)
{
    private readonly TimeSpan _start = clock.Elapsed;
    private readonly int _before = statistics.Images;

    /// <summary>Since the epoch started or was resumed.</summary>
    public TimeSpan Time => clock.Elapsed - _start;

    /// <summary>Images per second in that time.</summary>
    public double Speed => (statistics.Images - _before) / Math.Max(1e-9, Time.TotalSeconds);
}
