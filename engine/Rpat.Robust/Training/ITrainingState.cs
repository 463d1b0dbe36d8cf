namespace Rpat.Robust.Training;

/// <summary>What must survive a stop so that the run goes on bit for bit, the network's own weights aside.</summary>
public interface ITrainingState
{
    /// <summary>Momenta, averaged networks, tables and counters, each under a dotted prefix
    /// (<c>sgd.…</c>, <c>average.…</c>, <c>table.…</c>).</summary>
    IEnumerable<NamedArray> State();

    /// <summary>Takes over what <see cref="State"/> gave.</summary>
    /// <exception cref="CheckpointException">Something is missing, or of another size.</exception>
    void LoadState(IReadOnlyDictionary<string, NamedArray> state);
}
