namespace Rpat.Engine.Devices;

/// <summary>Optimizer kernels of a backend.</summary>
public interface ISgdKernels
{
    /// <summary>
    /// g ← g + weightDecay·w; v ← momentum·v + g; w ← w − rate·(v, or g + momentum·v with Nesterov), over all parameters at once
    /// (methods.md 0.3; with v = 0 at the start the first step is v = g).
    /// </summary>
    void Sgd(long count, DeviceBuffer weights, DeviceBuffer gradients, DeviceBuffer velocity, in SgdStep step);
}

/// <summary>The numbers of one SGD step; weight decay is an L2 penalty on every parameter, batch norms and biases included.</summary>
public readonly record struct SgdStep(float Rate, float Momentum, float WeightDecay, bool Nesterov);
