namespace Rpat.Engine.Devices;

/// <summary>Optimizer kernels of a backend.</summary>
public interface ISgdKernels
{
    /// <summary>
    /// g ← g + weightDecay·w; v ← momentum·v + g; w ← w − rate·(v, or g + momentum·v with Nesterov), over all parameters at once
    /// (methods.md 0.3; with v = 0 at the start the first step is v = g).
    /// </summary>
    void Sgd(long count, DeviceBuffer weights, DeviceBuffer gradients, DeviceBuffer velocity, in SgdStep step, in StepFactors factors);
}

/// <summary>The numbers of one SGD step; weight decay is an L2 penalty on every parameter, batch norms and biases included.</summary>
public readonly record struct SgdStep(float Rate, float Momentum, float WeightDecay, bool Nesterov);

/// <summary>
/// What differs from value to value in a step of an optimizer, one number per value: a factor of the rate, and the weight decay instead of
/// the step's. Null where all values are alike.
/// </summary>
public readonly record struct StepFactors(DeviceBuffer? Rate, DeviceBuffer? WeightDecay);
