namespace Rpat.Robust.Objectives;

/// <summary>State that must survive a stop so that the run resumes bit for bit, in addition to the network's own weights.</summary>
public interface ITrainingState
{
    /// <summary>
    /// Momenta, averaged networks, tables and counters, each under a dotted prefix (<c>sgd.…</c>,
    /// <c>adam.…</c>, <c>average.…</c>, <c>table.…</c>).
    /// </summary>
    IEnumerable<NamedArray> State();

    /// <summary>Restores what <see cref="State"/> returned.</summary>
    /// <exception cref="CheckpointException">Something is missing, or of another size.</exception>
    void LoadState(IReadOnlyDictionary<string, NamedArray> state);
}
