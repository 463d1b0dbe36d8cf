namespace Rpat.Nn.Optim;

/// <summary>Stochastic gradient descent with momentum and weight decay, as PyTorch defines it (methods.md 0.3).</summary>
/// <param name="momentum">Weight of the steps before, from 0 to below 1.</param>
/// <param name="weightDecay">L2 penalty on every parameter, batch norms and biases included, unless a group says otherwise.</param>
/// <param name="nesterov">Whether the step looks ahead along the momentum, which must not be 0 then.</param>
/// <inheritdoc/>
public sealed class Sgd(ParameterStore parameters, float momentum = 0.9f, float weightDecay = 0, bool nesterov = false)
    : Optimizer(parameters, weightDecay)
{
    private const string Prefix = "sgd.";

    private readonly float _momentum = !nesterov || momentum > 0 ? Bound.BelowOne(momentum)
        : throw new ArgumentException("Nesterov's step needs a momentum above 0.");

    /// <summary>Momentum of every parameter, in the order of <see cref="ParameterStore.Values"/>.</summary>
    public DeviceBuffer Velocity { get; } = Bound.Given(parameters).Device.Allocate(parameters.Values.Length);

    /// <inheritdoc/>
    protected override IReadOnlyList<DeviceBuffer> MomentBuffers => [Velocity];

    /// <inheritdoc/>
    protected override void Move(float rate, in StepFactors factors) => Parameters.Device.Kernels.Sgd(Parameters.Count,
        Parameters.Values, Parameters.Gradients, Velocity, new SgdStep(rate, _momentum, WeightDecay, nesterov), factors);

    /// <inheritdoc/>
    protected override IEnumerable<NamedArray> Moments() => Parameters.Slice(Velocity, Prefix);

    /// <inheritdoc/>
    protected override void LoadMoments(IReadOnlyDictionary<string, NamedArray> state) => Parameters.Fill(Velocity, Prefix, state);
}
