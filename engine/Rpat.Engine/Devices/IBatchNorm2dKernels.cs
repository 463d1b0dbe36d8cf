namespace Rpat.Engine.Devices;

/// <summary>The vectors of a batch norm: per channel, padded with zeros to the layout's channel block.</summary>
/// <param name="Gamma">Trained factor.</param>
/// <param name="Beta">Trained summand.</param>
/// <param name="RunningMean">Moving mean.</param>
/// <param name="RunningVar">Moving unbiased variance.</param>
public readonly record struct BatchNormState(DeviceBuffer Gamma, DeviceBuffer Beta, DeviceBuffer RunningMean, DeviceBuffer RunningVar);

/// <summary>What a training-mode batch norm keeps of its batch, one value per channel.</summary>
/// <param name="Mean">Batch mean.</param>
/// <param name="InvStd">1/√(biased variance + ε).</param>
/// <param name="Scale">γ·InvStd.</param>
/// <param name="Shift">β − γ·InvStd·Mean.</param>
public readonly record struct BatchNormSaved(DeviceBuffer Mean, DeviceBuffer InvStd, DeviceBuffer Scale, DeviceBuffer Shift);

/// <summary>Batch-norm kernels of a backend. The normalised tensor itself is a view, applied by its readers.</summary>
public interface IBatchNorm2dKernels
{
    /// <summary>Added to the variance.</summary>
    public const float Epsilon = 1e-5f;

    /// <summary>Share of the batch in the running statistics.</summary>
    public const float Momentum = 0.1f;

    /// <summary>Batch statistics of x, the affine map they give, and (if asked) new running statistics (methods.md 0.3).</summary>
    void BatchNormTrain(Shape shape, DeviceBuffer x, in BatchNormState state, bool moveRunning, in BatchNormSaved saved);

    /// <summary>The affine map that the running statistics give.</summary>
    void BatchNormEval(int channels, in BatchNormState state, in BatchNormSaved saved);

    /// <summary>
    /// With g = dh·[h &gt; 0] if <paramref name="relu"/>, else dh: dβ (+)= Σg, dγ (+)= Σg·x̂, and
    /// dx (+)= scale·(g − mean(g) − x̂·mean(g·x̂)), or scale·g when the statistics did not come from the batch.
    /// </summary>
    void BatchNormBackward(Shape shape, DeviceBuffer x, DeviceBuffer dh, in BatchNormSaved saved, bool relu, bool batchStatistics,
        BatchNormGradients gradients);

    /// <summary>dx (+)= scale·g + slope·x + offset, g as above: what is left of the gradient when sums over a larger batch are known.</summary>
    /// <param name="shape">Size of x.</param>
    /// <param name="x">Input.</param>
    /// <param name="dh">Gradient of the output.</param>
    /// <param name="saved">What the forward pass kept.</param>
    /// <param name="relu">Whether the output was clamped.</param>
    /// <param name="lines">A slope a channel, then an offset a channel, each vector padded to the layout's channel block.</param>
    /// <param name="add">Add instead of storing.</param>
    /// <param name="dx">∂loss/∂x.</param>
    void BatchNormInputGradient(Shape shape, DeviceBuffer x, DeviceBuffer dh, in BatchNormSaved saved, bool relu, DeviceBuffer lines, bool add, DeviceBuffer dx);
}

/// <summary>Where a batch norm's gradients go; null where none is wanted.</summary>
/// <param name="Gamma">∂loss/∂γ.</param>
/// <param name="Beta">∂loss/∂β.</param>
/// <param name="AddParameters">Add to γ's and β's gradients instead of storing.</param>
/// <param name="X">∂loss/∂x.</param>
/// <param name="AddX">Add to x's gradient instead of storing.</param>
public readonly record struct BatchNormGradients(DeviceBuffer? Gamma, DeviceBuffer? Beta, bool AddParameters, DeviceBuffer? X, bool AddX);
