namespace Rpat.Nn.Optim;

/// <summary>Stochastic gradient descent with momentum and weight decay, as PyTorch defines it (methods.md 0.3).</summary>
/// <inheritdoc/>
public sealed class Sgd(ParameterStore parameters, float momentum = 0.9f, float weightDecay = 0, bool nesterov = false)
    : Optimizer(parameters, weightDecay)
{
    private const string Prefix = "sgd.";

    /// <summary>Momentum of every parameter, in the order of <see cref="ParameterStore.Values"/>.</summary>
    public DeviceBuffer Velocity { get; } = parameters.Device.Allocate(parameters.Count);

    /// <inheritdoc/>
    protected override void Move(float rate, in StepFactors factors) => Parameters.Device.Kernels.Sgd(Parameters.Count,
        Parameters.Values, Parameters.Gradients, Velocity, new SgdStep(rate, momentum, WeightDecay, nesterov), factors);

    /// <inheritdoc/>
    protected override IEnumerable<NamedArray> Moments() => Parameters.Slice(Velocity, Prefix);

    /// <inheritdoc/>
    protected override void LoadMoments(IReadOnlyDictionary<string, NamedArray> state) => Parameters.Fill(Velocity, Prefix, state);
}
