namespace Rpat.Nn.Optim;

/// <summary>What an optimizer does otherwise for some parameters; the first group that takes a parameter decides.</summary>
/// <param name="Takes">Whether a parameter belongs to the group.</param>
public sealed record ParameterGroup(Func<Parameter, bool> Takes)
{
    /// <summary>Multiplies the learning rate; from 0.</summary>
    public float RateFactor { get; init => field = Bound.FromZero(value, nameof(RateFactor)); } = 1;

    /// <summary>The weight decay instead of the optimizer's, from 0; null for the optimizer's.</summary>
    public float? WeightDecay { get; init => field = value is { } decay ? Bound.FromZero(decay, nameof(WeightDecay)) : null; }
}

/// <summary>
/// Moves a network's parameters against their gradients, as PyTorch defines it. Parameters that are frozen
/// (<see cref="Parameter.IsFrozen"/>) stay where they are and begin without momentum when they are trained again. One that the last tape's
/// losses do not depend on has the gradient 0, as after <c>zero_grad(set_to_none=False)</c>: momentum and weight decay still move it.
/// </summary>
/// <param name="parameters">Those of the network, allocated: <see cref="Module.Parameters"/>.</param>
/// <param name="weightDecay">L2 penalty on every parameter, batch norms and biases included, unless a group says otherwise.</param>
public abstract class Optimizer(ParameterStore parameters, float weightDecay)
{
    private readonly GradientClip? _clip;
    private readonly GradientGather? _gather;
    private bool[] _frozen = [];
    private StepFactors _factors;
    private long _gradients;

    /// <summary>Largest L2 norm of the gradient of all parameters together; 0 for no limit.</summary>
    public float ClipNorm
    {
        get;
        init
        {
            (field, _clip) = (Bound.FromZero(value, nameof(ClipNorm)), value > 0 ? new GradientClip(Parameters, value) : null);
        }
    }

    /// <summary>Batches whose mean gradient makes one step; 1 for a step per batch.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is below 1.</exception>
    public int Accumulate
    {
        get;
        init
        {
            (field, _gather) = (Bound.FromOne(value, nameof(Accumulate)), value > 1 ? new GradientGather(Parameters, value) : null);
        }
    } = 1;

    /// <summary>Parameters with another rate or weight decay.</summary>
    /// <exception cref="ArgumentException">A group takes no parameter.</exception>
    public IReadOnlyList<ParameterGroup> Groups
    {
        get;
        init => field = Bound.Given(value, nameof(Groups)).All(group => Parameters.Parameters.Any(group.Takes)) ? value
            : throw new ArgumentException("A group takes no parameter: compare it with the names in net.Parameters.Parameters.");
    } = [];

    /// <summary>The trained parameters.</summary>
    public ParameterStore Parameters { get; } = Bound.Given(parameters);

    /// <summary>Weight decay of the parameters of no group.</summary>
    public float WeightDecay { get; } = Bound.FromZero(weightDecay);

    /// <summary>The moments, each with one value per parameter value.</summary>
    protected virtual IReadOnlyList<DeviceBuffer> MomentBuffers => [];

    /// <summary>Moves all parameters against their gradients, once enough batches are accumulated.</summary>
    /// <param name="rate">Learning rate of this step.</param>
    /// <param name="last">Whether this is the last batch, so that a partial accumulation is used.</param>
    /// <returns>Whether the parameters were moved.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The rate is negative or no number.</exception>
    /// <exception cref="InvalidOperationException">No tape has computed gradients of these parameters since the last step.</exception>
    public bool Step(float rate, bool last = false)
    {
        Bound.FromZero(rate);
        if (Parameters.GradientVersion == _gradients)
            throw new InvalidOperationException("There is no new gradient of these parameters: before each step run a tape that records "
                + "their network and was made with Gradients.Parameters.");
        _gradients = Parameters.GradientVersion;
        FollowFreezing();
        if (_gather is not null && !_gather.Take(last)) return false;
        _clip?.Apply();
        Move(rate, _factors);
        Parameters.BumpVersion();
        return true;
    }

    /// <summary>What a resumed run needs: one array per parameter and moment, and the gradients accumulated so far for the next
    /// step.</summary>
    public IEnumerable<NamedArray> State() => [.. Moments(), .. _gather?.State() ?? []];

    /// <summary>Loads what <see cref="State"/> returned.</summary>
    /// <param name="state">Arrays by name; those of other parts of the run are ignored.</param>
    /// <exception cref="CheckpointException">One is missing or of another size; nothing is changed then.</exception>
    public void LoadState(IReadOnlyDictionary<string, NamedArray> state)
    {
        foreach (var own in State().Where(own => !state.TryGetValue(own.Name, out var given) || given.Count != own.Count))
            throw new CheckpointException(state.ContainsKey(own.Name)
                ? $"'{own.Name}' in the training state has {state[own.Name].Count} values where {own.Count} are wanted: it belongs to "
                    + "another run."
                : $"The training state has no '{own.Name}': it belongs to another run.");
        LoadMoments(state);
        _gather?.LoadState(state);
    }

    /// <summary>One step of all parameters.</summary>
    /// <param name="factors">What differs from value to value.</param>
    protected abstract void Move(float rate, in StepFactors factors);

    /// <summary>The optimizer's own state.</summary>
    protected abstract IEnumerable<NamedArray> Moments();

    /// <summary>Loads what <see cref="Moments"/> returned.</summary>
    protected abstract void LoadMoments(IReadOnlyDictionary<string, NamedArray> state);

    private void FollowFreezing()
    {
        if (IsFrozenAsBefore()) return;
        _frozen = [.. Parameters.Parameters.Select(p => p.IsFrozen)];
        foreach (var old in new[] { _factors.Rate, _factors.WeightDecay }.OfType<DeviceBuffer>()) Parameters.Device.Free(old);
        _factors = Factors();
        long offset = 0;
        foreach (var p in Parameters.Parameters)
        {
            if (p.IsFrozen) Forget(offset, p.Shape.Count);
            offset += p.Shape.Count;
        }
    }

    private bool IsFrozenAsBefore()
    {
        for (int i = 0; i < _frozen.Length; i++)
            if (Parameters.Parameters[i].IsFrozen != _frozen[i]) return false;
        return _frozen.Length > 0;
    }

    private void Forget(long offset, long count)
    {
        foreach (var buffer in MomentBuffers.Append(Parameters.Gradients).Append(_gather?.Sum).OfType<DeviceBuffer>())
            Parameters.Device.Upload(new float[count], buffer.View(offset, count));
    }

    private StepFactors Factors()
    {
        if (Groups.Count == 0 && !Parameters.Parameters.Any(p => p.IsFrozen)) return default;
        return new StepFactors(PerValue((p, group) => p.IsFrozen ? 0 : group?.RateFactor ?? 1),
            PerValue((p, group) => p.IsFrozen ? 0 : group?.WeightDecay ?? WeightDecay));
    }

    private DeviceBuffer PerValue(Func<Parameter, ParameterGroup?, float> number)
    {
        float[] values = [.. Parameters.Parameters.SelectMany(
            p => Enumerable.Repeat(number(p, Groups.FirstOrDefault(group => group.Takes(p))), (int)p.Shape.Count))];
        var buffer = Parameters.Device.Allocate(Parameters.Count);
        Parameters.Device.Upload(values, buffer);
        return buffer;
    }
}
