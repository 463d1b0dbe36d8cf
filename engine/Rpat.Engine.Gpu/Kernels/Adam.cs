using ILGPU;

namespace Rpat.Engine.Gpu.Kernels;

internal abstract partial class GpuKernels : IAdamKernels
{
    public void Adam(long count, DeviceBuffer weights, DeviceBuffer gradients, DeviceBuffer mean, DeviceBuffer square, in AdamStep step,
        in StepFactors factors) => ForEach(count, new AdamValue(
            weights.Floats(), gradients.Floats(), mean.Floats(), square.Floats(), step.Rate, step.Beta1, step.Beta2, step.Epsilon,
            step.WeightDecay, step.Decoupled ? 1 : 0, step.Correction1, step.RootScale, factors.Rate.FloatsOrNone(),
            factors.WeightDecay.FloatsOrNone()));
}

internal readonly struct AdamValue(
    ArrayView<float> w, ArrayView<float> g, ArrayView<float> mean, ArrayView<float> square, float rate, float beta1, float beta2,
    float epsilon, float decay, int decoupled, float correction, float rootScale, ArrayView<float> rates, ArrayView<float> decays) : IKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX;
        if (i >= w.IntLength) return;
        float r = rate, d = decay, weight = w[i], gradient = g[i];
        if (rates.Length > 0) r *= rates[i];
        if (decays.Length > 0) d = decays[i];
        if (decoupled != 0) weight -= r * d * weight;
        else gradient += d * weight;
        float m = beta1 * mean[i] + (1 - beta1) * gradient, v = beta2 * square[i] + (1 - beta2) * gradient * gradient;
        mean[i] = m;
        square[i] = v;
        w[i] = weight - r / correction * m / (rootScale * MathF.Sqrt(v) + epsilon);
    }
}
