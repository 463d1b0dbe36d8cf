using Rpat.Engine.IO;
using Rpat.Engine.Nn;

namespace Rpat.Engine.Optim;

/// <summary>Stochastic gradient descent with momentum and weight decay as PyTorch defines it (methods.md 0.3).</summary>
/// <param name="parameters">What is trained.</param>
/// <param name="momentum">Momentum.</param>
/// <param name="weightDecay">L2 penalty on every parameter, batch norms and biases included.</param>
/// <param name="nesterov">Nesterov's look-ahead.</param>
public sealed class Sgd(ParameterStore parameters, float momentum = 0.9f, float weightDecay = 0, bool nesterov = false)
{
    private const string Prefix = "sgd.";

    /// <summary>Momentum of every parameter, in the order of <see cref="ParameterStore.Values"/>.</summary>
    public DeviceBuffer Velocity { get; } = parameters.Device.Allocate(parameters.Count);

    /// <summary>What is trained.</summary>
    public ParameterStore Parameters { get; } = parameters;

    /// <summary>Moves all parameters against their gradients.</summary>
    /// <param name="rate">Learning rate of this step.</param>
    public void Step(float rate)
    {
        var step = new SgdStep(rate, momentum, weightDecay, nesterov);
        Parameters.Device.Kernels.Sgd(Parameters.Count, Parameters.Values, Parameters.Gradients, Velocity, step);
        Parameters.Touch();
    }

    /// <summary>The momenta, one array a parameter, named <c>sgd.</c> and the parameter.</summary>
    public IEnumerable<NamedArray> State() => Parameters.Slice(Velocity, Prefix);

    /// <summary>Takes over momenta that <see cref="State"/> gave.</summary>
    /// <param name="state">Arrays by name; others than <c>sgd.</c> are ignored.</param>
    /// <exception cref="CheckpointException">One is missing or of another size; nothing is changed then.</exception>
    public void LoadState(IReadOnlyDictionary<string, NamedArray> state) => Parameters.Fill(Velocity, Prefix, state);
}
