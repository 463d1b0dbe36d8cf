namespace Rpat.Training.Progress;

/// <summary>
/// Shows a run's progress. All but <see cref="Note"/> and <see cref="Warn"/> are called from the thread that trains, and block it.
/// </summary>
public interface IProgressView
{
    /// <summary>Whether the view would show a snapshot now. Called after every step; false saves making one.</summary>
    bool Due => true;

    /// <summary>Shows a snapshot.</summary>
    void Update(ProgressSnapshot snapshot) { }

    /// <summary>Shows a finished epoch.</summary>
    void EpochDone(EpochSummary epoch) { }

    /// <summary>Shows one line of text; from any thread.</summary>
    void Note(string line) { }

    /// <summary>Shows one line that matters even if notes are not shown; from any thread.</summary>
    void Warn(string line) => Note(line);
}
