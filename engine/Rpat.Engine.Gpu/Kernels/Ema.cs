using ILGPU;

namespace Rpat.Engine.Gpu.Kernels;

internal abstract partial class GpuKernels : IEmaKernels
{
    public void Ema(long count, DeviceBuffer average, DeviceBuffer values, float decay) =>
        ForEach(Quads(count), new EmaQuad(average.Flat(count), values.Flat(count), decay));
}

internal readonly struct EmaQuad(Flat average, Flat values, float decay) : IKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX;
        average.Store(i, decay * average.Load(i) + (1 - decay) * values.Load(i));
    }
}
