namespace Rpat.Robust.Modifiers;

/// <summary>The averaged network of a run, the number of its updates, and its update rule.</summary>
public sealed class AveragedNet : StepHook
{
    private const string Count = "counter.average";
    private readonly Averaging _rule;
    private readonly Ema _ema;
    private readonly ulong _seed;

    /// <summary>Starts as a copy of the trained network.</summary>
    internal AveragedNet(Averaging rule, ModifiedRun run)
    {
        (_rule, Net, _seed) = (rule, run.Companions.CreateCopy(run.Method), run.Seed);
        _ema = new Ema(run.Net, Net);
        Net.Load(run.Net.State()); // also what an average does not move, such as MeanSparse's statistics
    }

    /// <summary>The averaged network.</summary>
    public Classifier Net { get; }

    /// <summary>Updates so far.</summary>
    public long Updates { get; private set; }

    /// <inheritdoc/>
    public override Classifier Average => Net;

    /// <inheritdoc/>
    public override Classifier? Result => _rule.Report && _rule.IsReady(Updates) ? Net : null;

    /// <summary>average = decay·average + (1 − decay)·network, optionally of the running statistics too.</summary>
    public void Move(float decay, bool statistics)
    {
        _ema.Update(decay, statistics);
        Updates++;
    }

    /// <summary>Takes over the network as it is, which is not counted as an update.</summary>
    public void Copy() => _ema.Update(0);

    /// <summary>Whether this step updates the average, for a rule that does so with some probability.</summary>
    public bool Draw(in StepContext moment, float probability) =>
        new RandomKey(_seed, Purpose.Average, moment.Epoch, moment.Step & uint.MaxValue, 0, 0).Stream().Uniform(0) < probability;

    /// <inheritdoc/>
    public override void AfterMove(in ModifiedStep step) => _rule.AfterStep(this, step.Moment);

    /// <inheritdoc/>
    public override BatchStatistics? AfterEpoch(int epoch) => _rule.AfterEpoch(this, epoch) ? new BatchStatistics(Net) : null;

    /// <inheritdoc/>
    public override IEnumerable<NamedArray> State() => _ema.State().Append(NamedArray.FromInt64(Count, [Updates]));

    /// <inheritdoc/>
    public override void LoadState(IReadOnlyDictionary<string, NamedArray> state)
    {
        if (!state.TryGetValue(Count, out var count))
            throw new CheckpointException($"The training state has no '{Count}': it belongs to another run.");
        _ema.LoadState(state);
        Updates = count.ToInt64()[0];
    }
}
