namespace Rpat.Engine.Devices;

/// <summary>Random starts of attacks. Every number depends only on the key and the place in the sample (never on the batch).</summary>
public interface IAttackStartKernels
{
    /// <summary>x′ = clip₀₁(x + U(−ε, ε)) per value.</summary>
    /// <param name="n">Samples.</param>
    /// <param name="sampleCount">Values of a sample.</param>
    /// <param name="x">Images.</param>
    /// <param name="eps">Radius.</param>
    /// <param name="key">Key without the sample.</param>
    /// <param name="samples">Global index of each sample.</param>
    /// <param name="adversarial">Result.</param>
    void LinfStart(int n, int sampleCount, DeviceBuffer x, float eps, in RandomKey key, ReadOnlySpan<long> samples, DeviceBuffer adversarial);

    /// <summary>
    /// x′ = clip₀₁(x + δ), δ a point drawn uniformly from the box minus x, scaled into the ε-ball if it is longer
    /// (methods.md 2.1 row A).
    /// </summary>
    /// <inheritdoc cref="LinfStart"/>
    void L2Start(int n, int sampleCount, DeviceBuffer x, float eps, in RandomKey key, ReadOnlySpan<long> samples, DeviceBuffer adversarial);

    /// <summary>x′ = x + σ·N(0, 1) per value, not clipped (methods.md 2.1 row B).</summary>
    /// <param name="n">Samples.</param>
    /// <param name="sampleCount">Values of a sample.</param>
    /// <param name="x">Images.</param>
    /// <param name="deviation">σ.</param>
    /// <param name="key">Key without the sample.</param>
    /// <param name="samples">Global index of each sample.</param>
    /// <param name="adversarial">Result.</param>
    void GaussianStart(int n, int sampleCount, DeviceBuffer x, float deviation, in RandomKey key, ReadOnlySpan<long> samples, DeviceBuffer adversarial);
}
