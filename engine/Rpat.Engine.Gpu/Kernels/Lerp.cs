using ILGPU;

namespace Rpat.Engine.Gpu.Kernels;

internal abstract partial class GpuKernels : ILerpKernels
{
    public void Lerp(long count, DeviceBuffer a, DeviceBuffer b, float t, DeviceBuffer y) =>
        ForEach(Quads(count), new LerpQuad(a.Flat(count), b.Flat(count), t, y.Flat(count)));

    public void Scale(long count, DeviceBuffer dy, float factor, bool accumulate, DeviceBuffer dx) =>
        ForEach(Quads(count), new ScaleQuad(dy.Flat(count), factor, accumulate ? 1 : 0, dx.Flat(count)));
}

internal readonly struct LerpQuad(Flat a, Flat b, float t, Flat y) : IKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX;
        V4 from = a.Load(i);
        y.Store(i, from + t * (b.Load(i) - from));
    }
}

internal readonly struct ScaleQuad(Flat dy, float factor, int accumulate, Flat dx) : IKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX;
        dx.Put(i, factor * dy.Load(i), accumulate);
    }
}
