namespace Rpat.Training.Progress;

/// <summary>Shows a run in one view and writes it to the run's log in another.</summary>
internal sealed class LoggedView(IProgressView shown, IProgressView log) : IProgressView
{
    /// <inheritdoc/>
    public bool Due => shown.Due || log.Due;

    /// <inheritdoc/>
    public void Update(ProgressSnapshot snapshot)
    {
        shown.Update(snapshot);
        log.Update(snapshot);
    }

    /// <inheritdoc/>
    public void EpochDone(EpochSummary epoch)
    {
        shown.EpochDone(epoch);
        log.EpochDone(epoch);
    }

    /// <inheritdoc/>
    public void Note(string line)
    {
        shown.Note(line);
        log.Note(line);
    }

    /// <inheritdoc/>
    public void Warn(string line)
    {
        shown.Warn(line);
        log.Warn(line);
    }
}
