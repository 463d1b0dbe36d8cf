namespace Rpat.Engine.Devices;

/// <summary>One ascent step, projection to the ball and to the box, in one pass (methods.md 2.1).</summary>
public interface IAttackStepKernels
{
    /// <summary>x′ = clip₀₁(clip(x′ + step·sign g, x ± ε)), sign(0) = 0.</summary>
    void LinfStep(long count, DeviceBuffer x, DeviceBuffer g, float step, float eps, DeviceBuffer adversarial);

    /// <summary>
    /// Per sample: δ = clip₀₁(x′ + step·g/max(‖g‖, 1e-6)) − x, scaled into the ε-ball if it is longer (methods.md 2.1 row A); or, ball
    /// first, δ = x′ + step·g/(‖g‖ + 1e-8) − x scaled into the ball and x + δ clipped to the box
    /// (row B; C and E differ only in using 1e-10).
    /// </summary>
    void L2Step(int n, int sampleCount, DeviceBuffer x, DeviceBuffer g, float step, float eps, bool ballFirst, DeviceBuffer adversarial);
}
