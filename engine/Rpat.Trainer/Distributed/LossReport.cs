namespace Rpat.Trainer.Distributed;

/// <summary>
/// Reports that a rank is lost: one sentence of one of the others, also if that one computes for long. Launchers kill all ranks soon after
/// one has died; MPICH's does when it next reads what a rank writes, so the run's record is written first if that takes no time.
/// </summary>
internal sealed class LossReport : IDisposable
{
    private static readonly TimeSpan _recordTime = TimeSpan.FromSeconds(0.5);

    // For the sentence of the rank that reports, before another one's end makes the launcher kill it.
    private static readonly TimeSpan _turn = TimeSpan.FromSeconds(2);

    private readonly ProcessRank _place;
    private readonly TextWriter _output;
    private readonly Lock _lock = new();
    private Timer? _timer;
    private PeerLostException? _lost;
    private bool _isRecorded;

    /// <summary>Reports from now on what this rank has to report.</summary>
    public LossReport(BackgroundProcessGroup group, ProcessRank place, TextWriter output)
    {
        (_place, _output) = (place, output);
        group.Lost += OnLost;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Dispose(); // by a signal that nothing else handles
    }

    /// <summary>Reports at once what there is to report: the run's record is written.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _isRecorded = true;
            _timer?.Dispose();
            if (_lost is not null) Write(_lost, _output);
            _lost = null;
        }
    }

    /// <summary>Lets the rank that reports, or that has failed, go first. One that reports may have been lost with the machine of rank 0:
    /// the first rank of any other machine that is still there then reports as well.</summary>
    public static void WaitForTurn(ProcessRank place, PeerLostException lost, TextWriter output)
    {
        if (lost.Code != 0 ? place.Mpi is null : Reports(place, lost)) return;
        Thread.Sleep(_turn);
        if (lost is { Code: 0, Rank: 0 } && place.LocalRank == 0) Write(lost, output);
    }

    private static bool Reports(ProcessRank place, PeerLostException lost) => place.Rank == (lost.Rank == 0 ? 1 : 0);

    private static void Write(PeerLostException lost, TextWriter output) => output.WriteLine($"rpat: {ErrorReport.Of(lost).Sentence}");

    private void OnLost(PeerLostException lost)
    {
        if (lost.Code != 0 || !Reports(_place, lost)) return; // a rank that failed has reported why
        lock (_lock)
            (_lost, _timer) = (lost, new Timer(_ => Dispose(), null, _isRecorded ? TimeSpan.Zero : _recordTime, Timeout.InfiniteTimeSpan));
    }
}
