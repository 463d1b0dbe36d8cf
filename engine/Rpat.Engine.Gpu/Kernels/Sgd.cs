using ILGPU;

namespace Rpat.Engine.Gpu.Kernels;

internal abstract partial class GpuKernels : ISgdKernels
{
    public void Sgd(long count, DeviceBuffer weights, DeviceBuffer gradients, DeviceBuffer velocity, in SgdStep step,
        in StepFactors factors) =>
        ForEach(Quads(count), new SgdQuad(
            weights.Flat(count), gradients.Flat(count), velocity.Flat(count), step.Rate, step.Momentum, step.WeightDecay,
            step.Nesterov ? 1 : 0, factors.Rate.FloatsOrNone(), factors.WeightDecay.FloatsOrNone()));
}

/// <summary>All parameters of a network are in one buffer, and so are gradients and momentum: one launch updates them all.</summary>
internal readonly struct SgdQuad(
    Flat w, Flat g, Flat v, float rate, float momentum, float decay, int nesterov, ArrayView<float> rates, ArrayView<float> decays)
    : IKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX;
        V4 weight = w.Load(i), decayed = decay * weight;
        if (decays.Length > 0) decayed = new Flat(decays, 1).Load(i) * weight;
        V4 gradient = g.Load(i) + decayed, moved = momentum * v.Load(i) + gradient;
        v.Store(i, moved);
        V4 step = rate * (nesterov != 0 ? gradient + momentum * moved : moved);
        if (rates.Length > 0) step = new Flat(rates, 1).Load(i) * step;
        w.Store(i, weight - step);
    }
}
