namespace Rpat.Nn.Optim;

/// <summary>
/// An exponential moving average of a network's parameters and running statistics, kept in a second network of the same kind
/// (methods.md 3.1): average ← decay·average + (1 − decay)·source.
/// </summary>
/// <param name="average">The averaged network; should start as a copy.</param>
public sealed class Ema(Module source, Module average)
{
    private const string Prefix = "average.";

    /// <summary>The averaged network.</summary>
    public Module Average { get; } = average != source && average.Device == source.Device
        && Kind(average).SequenceEqual(Kind(source)) ? average
        : throw new ArgumentException("An average is of two networks of the same kind on the same device.");

    /// <summary>Moves the average towards the source; decay 0 copies it.</summary>
    /// <param name="decay">Weight of the old average.</param>
    /// <param name="statistics">Whether the batch norms' running statistics are averaged too; otherwise they do not change.</param>
    public void Update(float decay, bool statistics = true)
    {
        if (decay is not (>= 0 and <= 1)) throw new ArgumentOutOfRangeException(nameof(decay), decay, "decay is a number from 0 to 1.");
        var kernels = source.Device.Kernels;
        kernels.Ema(source.Parameters.Count, Average.Parameters.Values, source.Parameters.Values, decay);
        Average.Parameters.BumpVersion();
        for (int i = 0; statistics && i < source.BatchNorms.Count; i++)
        {
            var (from, to) = (source.BatchNorms[i], Average.BatchNorms[i]);
            kernels.Ema(from.Channels, to.RunningMean.Data, from.RunningMean.Data, decay);
            kernels.Ema(from.Channels, to.RunningVar.Data, from.RunningVar.Data, decay);
            to.BatchesTracked = from.BatchesTracked;
        }
    }

    private static IEnumerable<string> Kind(Module net) => net.StateShapes().Select(part => $"{part.Name} {string.Join('x', part.Shape)}");

    /// <summary>The averaged network's state; each name is prefixed with <c>average.</c>.</summary>
    public IEnumerable<NamedArray> State() => Average.State().Select(array => array with { Name = Prefix + array.Name });

    /// <summary>Loads a state that <see cref="State"/> returned.</summary>
    /// <param name="state">Arrays by name; names without the prefix <c>average.</c> are ignored.</param>
    /// <exception cref="CheckpointException">Arrays are missing, unexpected or of another shape; nothing is changed then.</exception>
    public void LoadState(IReadOnlyDictionary<string, NamedArray> state) => Average.Load(
        state.Where(pair => pair.Key.StartsWith(Prefix, StringComparison.Ordinal)).ToDictionary(pair => pair.Key[Prefix.Length..],
            pair => pair.Value));
}
