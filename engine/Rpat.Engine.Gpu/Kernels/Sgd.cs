using ILGPU;

namespace Rpat.Engine.Gpu.Kernels;

internal sealed partial class GpuKernels : ISgdKernels
{
    public void Sgd(long count, DeviceBuffer weights, DeviceBuffer gradients, DeviceBuffer velocity, in SgdStep step) =>
        ForEach(Quads(count), new SgdQuad(
            weights.Flat(count), gradients.Flat(count), velocity.Flat(count), step.Rate, step.Momentum, step.WeightDecay,
            step.Nesterov ? 1 : 0));
}

/// <summary>All parameters of a network are in one buffer, and so are gradients and momentum: one launch updates them all.</summary>
internal readonly struct SgdQuad(Flat w, Flat g, Flat v, float rate, float momentum, float decay, int nesterov) : IKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX;
        V4 weight = w.Load(i), gradient = g.Load(i) + decay * weight, moved = momentum * v.Load(i) + gradient;
        v.Store(i, moved);
        w.Store(i, weight - rate * (nesterov != 0 ? gradient + momentum * moved : moved));
    }
}
