namespace Rpat.Training.Progress;

/// <summary>Shows a run's progress. Views know nothing of the engine; <see cref="Note"/> may be called from any thread.</summary>
internal interface IProgressView
{
    /// <summary>Whether the view would show a snapshot now. Asked after every step; a false saves making one.</summary>
    bool Due { get; }

    /// <summary>Shows a snapshot.</summary>
    void Update(ProgressSnapshot snapshot);

    /// <summary>Shows a finished epoch.</summary>
    void EpochDone(EpochSummary epoch);

    /// <summary>Shows one line of text.</summary>
    void Note(string line);

    /// <summary>Shows one line that matters even where notes are not shown.</summary>
    void Warn(string line) => Note(line);
}
