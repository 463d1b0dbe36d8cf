namespace Rpat.Engine.Devices;

/// <summary>Adversarial weight perturbation of a backend (AWP, NeurIPS'20; methods.md 4.3).</summary>
public interface IWeightPerturbationKernels
{
    /// <summary>
    /// For one tensor: v = γ·‖w‖/(‖g‖ + 1e-20)·g, w ← w + v, v kept. Norms are summed in double in fixed order; buffers need no alignment.
    /// </summary>
    void PerturbWeights(long count, DeviceBuffer weights, DeviceBuffer gradients, float gamma, DeviceBuffer perturbation);
}
