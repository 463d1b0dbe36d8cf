namespace Rpat.Engine.Devices;

/// <summary>γ, β, moving mean and moving unbiased variance: per channel, padded with zeros to the layout's channel block.</summary>
/// <param name="Epsilon">Added to the variance.</param>
/// <param name="Momentum">Weight of the batch in the running statistics.</param>
public readonly record struct BatchNormState(DeviceBuffer Gamma, DeviceBuffer Beta, DeviceBuffer RunningMean, DeviceBuffer RunningVar,
    float Epsilon = 1e-5f, float Momentum = 0.1f);

/// <summary>
/// What a training-mode batch norm keeps of its batch, one value per channel: mean, 1/√(biased variance + ε), γ·InvStd and β −
/// γ·InvStd·Mean.
/// </summary>
public readonly record struct BatchNormSaved(DeviceBuffer Mean, DeviceBuffer InvStd, DeviceBuffer Scale, DeviceBuffer Shift);

/// <summary>Batch-norm kernels of a backend. The normalised tensor itself is a view, applied by its readers.</summary>
public interface IBatchNorm2dKernels
{
    /// <summary>Batch statistics of x, the affine map they give, and optionally new running statistics (methods.md 0.3).</summary>
    void BatchNormTrain(Shape shape, DeviceBuffer x, in BatchNormState state, bool moveRunning, in BatchNormSaved saved);

    /// <summary>The affine map of the running statistics.</summary>
    void BatchNormEval(int channels, in BatchNormState state, in BatchNormSaved saved);

    /// <summary>
    /// With g = dh·[h &gt; 0] if <paramref name="relu"/>, else dh: dβ (+)= Σg, dγ (+)= Σg·x̂, and
    /// dx (+)= scale·(g − mean(g) − x̂·mean(g·x̂)), or scale·g when the statistics did not come from the batch.
    /// </summary>
    void BatchNormBackward(Shape shape, DeviceBuffer x, DeviceBuffer dh, in BatchNormSaved saved, bool relu, bool batchStatistics,
        BatchNormGradients gradients);

    /// <summary>
    /// dx (+)= scale·g + slope·x + offset, g as above: the rest of the gradient once the sums over a larger batch are known. The lines are
    /// one slope per channel, then one offset per channel, each vector padded to the layout's channel block.
    /// </summary>
    void BatchNormInputGradient(Shape shape, DeviceBuffer x, DeviceBuffer dh, in BatchNormSaved saved, bool relu, DeviceBuffer lines,
        bool add, DeviceBuffer dx);
}

/// <summary>Where the gradients by γ and β and by x are written, and whether they are added or stored; null if not needed.</summary>
public readonly record struct BatchNormGradients(DeviceBuffer? Gamma, DeviceBuffer? Beta, bool AddParameters, DeviceBuffer? X, bool AddX);
