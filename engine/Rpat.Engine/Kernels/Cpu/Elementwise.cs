namespace Rpat.Engine.Kernels.Cpu;

/// <summary>Scalar functions, one item per plane; value by value, since the function takes one value.</summary>
internal sealed unsafe partial class CpuKernels : IElementwiseKernels
{
    public void Elementwise<TOp>(in TOp op, Shape shape, Layout layout, DeviceBuffer x, DeviceBuffer y) where TOp : struct, IElementwise =>
        Run(new ElementwiseJob<TOp>(op, shape, layout, x.Floats(), null, false, y.Floats()), shape, layout);

    public void ElementwiseGradient<TOp>(in TOp op, Shape shape, Layout layout, DeviceBuffer x, DeviceBuffer dy, bool accumulate,
        DeviceBuffer dx)
        where TOp : struct, IElementwise =>
            Run(new ElementwiseJob<TOp>(op, shape, layout, x.Floats(), dy.Floats(), accumulate, dx.Floats()), shape, layout);

    private void Run<TOp>(ElementwiseJob<TOp> job, Shape shape, Layout layout) where TOp : struct, IElementwise =>
        _pool.Run(job, shape.N * (layout == Layout.Plain ? shape.C : Blocks.Count(shape.C)));
}

internal readonly struct CpuMath : IMath
{
    public double Exp(double x) => Math.Exp(x);

    public double Log(double x) => Math.Log(x);
}

/// <summary>y (+)= f(x), or f′(x)·dy if dy is given, on one plane; 0 in padding lanes.</summary>
internal readonly unsafe struct ElementwiseJob<TOp>(TOp op, Shape s, Layout layout, float* x, float* dy, bool accumulate, float* y) : IJob
    where TOp : struct, IElementwise
{
    public void Run(int index, Worker worker)
    {
        int lanes = layout == Layout.Plain ? 1 : Blocks.Size;
        int channels = layout == Layout.Plain ? 1 : s.C - index % Blocks.Count(s.C) * Blocks.Size, area = s.Area * lanes;
        for (int i = 0; i < area; i++)
        {
            long at = (long)index * area + i;
            double v = i % lanes >= channels ? 0 : dy == null ? op.Value(x[at], new CpuMath())
                : op.Derivative(x[at], new CpuMath()) * dy[at];
            y[at] = (float)v + (accumulate ? y[at] : 0);
        }
    }
}
