namespace Rpat.Engine.Optim;

/// <summary>Stochastic gradient descent with momentum and weight decay as PyTorch defines it (methods.md 0.3).</summary>
/// <param name="weightDecay">L2 penalty on every parameter, batch norms and biases included.</param>
public sealed class Sgd(ParameterStore parameters, float momentum = 0.9f, float weightDecay = 0, bool nesterov = false)
{
    private const string Prefix = "sgd.";

    private readonly GradientClip? _clip;
    private readonly GradientGather? _gather;

    /// <summary>Largest L2 norm of the gradient of all parameters together; 0 for any.</summary>
    public float ClipNorm
    {
        get;
        init => (field, _clip) = (value, value > 0 ? new GradientClip(Parameters, value) : null);
    }

    /// <summary>Batches whose mean gradient makes one step; 1 for each its own.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is below 1.</exception>
    public int Accumulate
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            (field, _gather) = (value, value > 1 ? new GradientGather(Parameters, value) : null);
        }
    } = 1;

    /// <summary>Momentum of every parameter, in the order of <see cref="ParameterStore.Values"/>.</summary>
    public DeviceBuffer Velocity { get; } = parameters.Device.Allocate(parameters.Count);

    /// <summary>What is trained.</summary>
    public ParameterStore Parameters { get; } = parameters;

    /// <summary>Moves all parameters against their gradients, once enough batches were gathered.</summary>
    /// <param name="rate">Learning rate of this step.</param>
    /// <param name="last">Whether no batch will follow, so that what is gathered counts.</param>
    /// <returns>Whether they were moved.</returns>
    public bool Step(float rate, bool last = false)
    {
        if (_gather is not null && !_gather.Take(last)) return false;
        _clip?.Apply();
        var step = new SgdStep(rate, momentum, weightDecay, nesterov);
        Parameters.Device.Kernels.Sgd(Parameters.Count, Parameters.Values, Parameters.Gradients, Velocity, step);
        Parameters.BumpVersion();
        return true;
    }

    /// <summary>The momenta, one array per parameter, named <c>sgd.</c> and the parameter, and
    /// what of a step was gathered so far.</summary>
    public IEnumerable<NamedArray> State() => [.. Parameters.Slice(Velocity, Prefix), .. _gather?.State() ?? []];

    /// <summary>Takes over momenta that <see cref="State"/> gave.</summary>
    /// <param name="state">Arrays by name; others than <c>sgd.</c> are ignored.</param>
    /// <exception cref="CheckpointException">One is missing or of another size; nothing is changed then.</exception>
    public void LoadState(IReadOnlyDictionary<string, NamedArray> state)
    {
        Parameters.Fill(Velocity, Prefix, state);
        _gather?.LoadState(state);
    }
}
