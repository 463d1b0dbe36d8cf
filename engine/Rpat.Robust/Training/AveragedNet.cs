using Rpat.Engine.Nn;
using Rpat.Engine.Optim;
using Rpat.Engine.Random;

namespace Rpat.Robust;

/// <summary>The averaged network of a run and how often it moved.</summary>
internal sealed class AveragedNet : ITrainingState
{
    private const string Count = "counter.average";
    private readonly Ema _ema;

    /// <summary>Starts as a copy of the trained network.</summary>
    public AveragedNet(Classifier net, Classifier twin)
    {
        (_ema, Net) = (new Ema(net, twin), twin);
        _ema.Update(0);
    }

    public Classifier Net { get; }

    /// <summary>Updates so far.</summary>
    public long Updates { get; private set; }

    public void Move(float decay, bool statistics)
    {
        _ema.Update(decay, statistics);
        Updates++;
    }

    /// <summary>Whether a step that moves the average with some probability does.</summary>
    public bool Draw(ulong seed, in Moment moment, float probability) =>
        new RandomKey(seed, Purpose.Average, moment.Epoch, moment.Step & uint.MaxValue, 0, 0).Stream().Uniform(0) < probability;

    public IEnumerable<NamedArray> State() => _ema.State().Append(NamedArray.FromInt64(Count, [Updates]));

    public void LoadState(IReadOnlyDictionary<string, NamedArray> state)
    {
        if (!state.TryGetValue(Count, out var count)) throw new CheckpointException($"The training state has no '{Count}': it belongs to another run.");
        _ema.LoadState(state);
        Updates = count.ToInt64()[0];
    }
}
