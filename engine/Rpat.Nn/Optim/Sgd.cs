namespace Rpat.Nn.Optim;

/// <summary>Stochastic gradient descent with momentum and weight decay, as PyTorch defines it (methods.md 0.3).</summary>
/// <param name="weightDecay">L2 penalty on every parameter, batch norms and biases included.</param>
public sealed class Sgd(ParameterStore parameters, float momentum = 0.9f, float weightDecay = 0, bool nesterov = false)
{
    private const string Prefix = "sgd.";

    private readonly GradientClip? _clip;
    private readonly GradientGather? _gather;

    /// <summary>Largest L2 norm of the gradient of all parameters together; 0 for no limit.</summary>
    public float ClipNorm
    {
        get;
        init => (field, _clip) = (value, value > 0 ? new GradientClip(Parameters, value) : null);
    }

    /// <summary>Batches whose mean gradient makes one step; 1 for a step per batch.</summary>
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

    /// <summary>The trained parameters.</summary>
    public ParameterStore Parameters { get; } = parameters;

    /// <summary>Moves all parameters against their gradients, once enough batches are accumulated.</summary>
    /// <param name="rate">Learning rate of this step.</param>
    /// <param name="last">Whether this is the last batch, so that a partial accumulation is used.</param>
    /// <returns>Whether the parameters were moved.</returns>
    public bool Step(float rate, bool last = false)
    {
        if (_gather is not null && !_gather.Take(last)) return false;
        _clip?.Apply();
        var step = new SgdStep(rate, momentum, weightDecay, nesterov);
        Parameters.Device.Kernels.Sgd(Parameters.Count, Parameters.Values, Parameters.Gradients, Velocity, step);
        Parameters.BumpVersion();
        return true;
    }

    /// <summary>
    /// The momenta, one array per parameter, named <c>sgd.</c> plus the parameter's name, and the gradients accumulated so far for the next
    /// step.
    /// </summary>
    public IEnumerable<NamedArray> State() => [.. Parameters.Slice(Velocity, Prefix), .. _gather?.State() ?? []];

    /// <summary>Loads momenta that <see cref="State"/> returned.</summary>
    /// <param name="state">Arrays by name; names without the prefix <c>sgd.</c> are ignored.</param>
    /// <exception cref="CheckpointException">One is missing or of another size; nothing is changed then.</exception>
    public void LoadState(IReadOnlyDictionary<string, NamedArray> state)
    {
        Parameters.Fill(Velocity, Prefix, state);
        _gather?.LoadState(state);
    }
}
