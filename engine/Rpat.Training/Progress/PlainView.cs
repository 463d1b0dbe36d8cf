namespace Rpat.Training.Progress;

/// <summary>Plain lines for pipes and log files: one per epoch, and one per interval in between.</summary>
/// <param name="output">Where the lines go; written under a lock, not disposed.</param>
internal sealed class PlainView(TextWriter output, TimeSpan interval, TimeProvider clock) : IProgressView
{
    private readonly Lock _lock = new();
    private long _last = clock.GetTimestamp();

    /// <inheritdoc/>
    public bool Due => clock.GetElapsedTime(_last) >= interval;

    /// <inheritdoc/>
    public void Update(ProgressSnapshot snapshot)
    {
        if (!Due) return;
        _last = clock.GetTimestamp();
        Note(PlainLines.Of(snapshot));
    }

    /// <inheritdoc/>
    public void EpochDone(EpochSummary epoch)
    {
        _last = clock.GetTimestamp();
        Note(PlainLines.Of(epoch));
    }

    /// <inheritdoc/>
    public void Note(string line)
    {
        lock (_lock)
        {
            output.WriteLine(line);
            output.Flush();
        }
    }
}
