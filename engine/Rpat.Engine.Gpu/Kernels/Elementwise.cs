using System.Runtime.CompilerServices;
using ILGPU;

namespace Rpat.Engine.Gpu.Kernels;

/// <summary>Functions of one number, one quad of channels a thread; plain tensors (images) go value by value.</summary>
internal sealed partial class GpuKernels : IElementwiseKernels
{
    public void Elementwise<TOp>(in TOp op, Shape shape, Layout layout, in Operand x, DeviceBuffer y) where TOp : struct, IElementwise
    {
        if (layout == Layout.Plain) ForEach(shape.Count, new ElementwisePlain<TOp>(op, Plain(shape, x), y.Floats()));
        else ForEach(ActivationQuads(shape), new ElementwiseQuad<TOp>(op, x.Source(), shape.C, ChannelQuads(shape.C), y.Quads()));
    }

    public void ElementwiseGradient<TOp>(
        in TOp op, Shape shape, Layout layout, in Operand x, DeviceBuffer dy, bool through, bool accumulate, DeviceBuffer dx)
        where TOp : struct, IElementwise
    {
        int view = through ? 1 : 0, add = accumulate ? 1 : 0;
        if (layout == Layout.Plain)
            ForEach(shape.Count, new ElementwisePlainGradient<TOp>(op, Plain(shape, x), dy.Floats(), view, add, dx.Floats()));
        else
            ForEach(ActivationQuads(shape), new ElementwiseQuadGradient<TOp>(
                op, x.Source(), shape.C, ChannelQuads(shape.C), dy.Quads(), view, add, dx.Quads()));
    }
}

/// <summary>What every backend has for functions of one number.</summary>
internal readonly struct GpuMath : IMath
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Exp(double x) => x > 700 ? double.PositiveInfinity : Real.Exp(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Log(double x) => Real.Log(x);
}

/// <summary>y = f(x) of plain values.</summary>
internal readonly struct ElementwisePlain<TOp>(TOp op, PlainSource x, ArrayView<float> y) : IKernel where TOp : struct, IElementwise
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX;
        if (i < y.IntLength) y[i] = (float)op.Value(x.Load(i), new GpuMath());
    }
}

/// <summary>dx (+)= [d·]f′(x)·dy of plain values.</summary>
internal readonly struct ElementwisePlainGradient<TOp>(
    TOp op, PlainSource x, ArrayView<float> dy, int through, int accumulate, ArrayView<float> dx) : IKernel where TOp : struct, IElementwise
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX;
        if (i >= dx.IntLength) return;
        float g = (float)(op.Derivative(x.Load(i), new GpuMath()) * dy[i]);
        if (through != 0) g = x.Backward(g, i);
        dx[i] = accumulate != 0 ? dx[i] + g : g;
    }
}

/// <summary>y = f(x); zero where there is no channel.</summary>
internal readonly struct ElementwiseQuad<TOp>(TOp op, Source x, int channels, int quads, ArrayView<V4> y) : IKernel where TOp : struct, IElementwise
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX, quad = i % quads, left = channels - 4 * quad;
        if (i >= y.IntLength) return;
        V4 v = x.Load(i, quad);
        y[i] = new V4(Of(v.X), left > 1 ? Of(v.Y) : 0, left > 2 ? Of(v.Z) : 0, left > 3 ? Of(v.W) : 0);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private float Of(float v) => (float)op.Value(v, new GpuMath());
}

/// <summary>dx (+)= [d·]f′(x)·dy; dy is zero where there is no channel, and f′ is not looked at there.</summary>
internal readonly struct ElementwiseQuadGradient<TOp>(
    TOp op, Source x, int channels, int quads, ArrayView<V4> dy, int through, int accumulate, ArrayView<V4> dx) : IKernel
    where TOp : struct, IElementwise
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX, quad = i % quads, left = channels - 4 * quad;
        if (i >= dx.IntLength) return;
        V4 v = x.Load(i, quad), d = dy[i];
        V4 g = new(Of(v.X, d.X), left > 1 ? Of(v.Y, d.Y) : 0, left > 2 ? Of(v.Z, d.Z) : 0, left > 3 ? Of(v.W, d.W) : 0);
        if (through != 0) g = x.Backward(g, i, quad);
        dx[i] = accumulate != 0 ? dx[i] + g : g;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private float Of(float v, float d) => (float)(op.Derivative(v, new GpuMath()) * d);
}
