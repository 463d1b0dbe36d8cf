namespace Rpat.Engine.Devices;

/// <summary>Adam's kernel of a backend.</summary>
public interface IAdamKernels
{
    /// <summary>
    /// As PyTorch computes it: decoupled, w ← w − rate·decay·w, else g ← g + decay·w; m ← β₁·m + (1 − β₁)·g; v ← β₂·v + (1 − β₂)·g²;
    /// w ← w − rate/correction₁·m/(√v/√correction₂ + ε).
    /// </summary>
    void Adam(long count, DeviceBuffer weights, DeviceBuffer gradients, DeviceBuffer mean, DeviceBuffer square, in AdamStep step,
        in StepFactors factors);
}

/// <summary>The numbers of one step of Adam, with the bias corrections 1 − β₁ᵗ and 1 − β₂ᵗ of step t.</summary>
public readonly record struct AdamStep(float Rate, float Beta1, float Beta2, float Epsilon, float WeightDecay, bool Decoupled,
    float Correction1, float Correction2)
{
    /// <summary>1/√correction₂.</summary>
    public float RootScale => (float)(1 / Math.Sqrt(Correction2));
}
