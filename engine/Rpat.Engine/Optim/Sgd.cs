using Rpat.Engine.Nn;

namespace Rpat.Engine.Optim;

/// <summary>Stochastic gradient descent with momentum and weight decay as PyTorch defines it (methods.md 0.3).</summary>
/// <param name="parameters">What is trained.</param>
/// <param name="momentum">Momentum.</param>
/// <param name="weightDecay">L2 penalty on every parameter, batch norms and biases included.</param>
/// <param name="nesterov">Nesterov's look-ahead.</param>
public sealed class Sgd(ParameterStore parameters, float momentum = 0.9f, float weightDecay = 0, bool nesterov = false)
{
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
}
