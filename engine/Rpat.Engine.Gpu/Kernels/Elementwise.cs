using ILGPU;

namespace Rpat.Engine.Gpu.Kernels;

/// <summary>Scalar functions, one value per thread; 0 in an activation's padding channels.</summary>
internal sealed partial class GpuKernels : IElementwiseKernels
{
    public void Elementwise<TOp>(in TOp op, Shape shape, Layout layout, DeviceBuffer x, DeviceBuffer y) where TOp : struct, IElementwise =>
        ForEach(Values(shape, layout), new ElementwiseValue<TOp>(op, x.Floats(), shape.C, Width(shape, layout), y.Floats()));

    public void ElementwiseGradient<TOp>(in TOp op, Shape shape, Layout layout, DeviceBuffer x, DeviceBuffer dy, bool accumulate,
        DeviceBuffer dx)
        where TOp : struct, IElementwise => ForEach(Values(shape, layout), new ElementwiseDerivative<TOp>(
            op, x.Floats(), dy.Floats(), shape.C, Width(shape, layout), accumulate ? 1 : 0, dx.Floats()));

    /// <summary>Channels of a stored pixel, padding included; 1 in the plain layout, which has no padding.</summary>
    private static int Width(Shape shape, Layout layout) => layout == Layout.Plain ? 1 : 4 * ChannelQuads(shape.C);

    private static long Values(Shape shape, Layout layout) => layout == Layout.Plain ? shape.Count : 4L * ActivationQuads(shape);
}

internal readonly struct GpuMath : IMath
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Exp(double x) => x > 700 ? double.PositiveInfinity : Real.Exp(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Log(double x) => Real.Log(x);
}

/// <summary>y = f(x).</summary>
internal readonly struct ElementwiseValue<TOp>(TOp op, ArrayView<float> x, int channels, int width, ArrayView<float> y) : IKernel
    where TOp : struct, IElementwise
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX;
        if (i >= y.IntLength) return;
        float v = 0;
        if (i % width < channels) v = (float)op.Value(x[i], new GpuMath());
        y[i] = v;
    }
}

/// <summary>dx (+)= f′(x)·dy.</summary>
internal readonly struct ElementwiseDerivative<TOp>(
    TOp op, ArrayView<float> x, ArrayView<float> dy, int channels, int width, int accumulate, ArrayView<float> dx) : IKernel
    where TOp : struct, IElementwise
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX;
        if (i >= dx.IntLength) return;
        float g = 0;
        if (i % width < channels) g = (float)(op.Derivative(x[i], new GpuMath()) * dy[i]);
        dx[i] = accumulate != 0 ? dx[i] + g : g;
    }
}
