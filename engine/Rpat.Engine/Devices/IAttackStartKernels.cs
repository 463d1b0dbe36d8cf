namespace Rpat.Engine.Devices;

/// <summary>
/// Random starts of attacks on n images of sampleCount values. Every number depends only on the key (given without its sample), the
/// sample's global index and the position in it, never on the batch.
/// </summary>
public interface IAttackStartKernels
{
    /// <summary>x′ = clip₀₁(x + U(−ε, ε)) per value.</summary>
    void LinfStart(int n, int sampleCount, DeviceBuffer x, float eps, in RandomKey key, ReadOnlySpan<long> samples,
        DeviceBuffer adversarial);

    /// <summary>
    /// x′ = clip₀₁(x + δ), δ a point drawn uniformly from the box minus x, scaled into the ε-ball if it is longer (methods.md 2.1 row A).
    /// </summary>
    void L2Start(int n, int sampleCount, DeviceBuffer x, float eps, in RandomKey key, ReadOnlySpan<long> samples, DeviceBuffer adversarial);

    /// <summary>x′ = x + σ·N(0, 1) per value, not clipped (methods.md 2.1 row B).</summary>
    void GaussianStart(int n, int sampleCount, DeviceBuffer x, float deviation, in RandomKey key, ReadOnlySpan<long> samples,
        DeviceBuffer adversarial);
}
