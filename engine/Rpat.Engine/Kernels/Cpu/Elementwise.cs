namespace Rpat.Engine.Kernels.Cpu;

/// <summary>Scalar functions, one item per plane; value by value, since the function takes one value.</summary>
internal unsafe partial class CpuKernels : IElementwiseKernels
{
    public void Elementwise<TOp>(in TOp op, Shape shape, Layout layout, in Operand x, DeviceBuffer y) where TOp : struct, IElementwise =>
        Run(new ElementwiseJob<TOp>(op, shape, layout, new Affine(x), false, null, false, y.Floats()), shape, layout);

    public void ElementwiseGradient<TOp>(in TOp op, Shape shape, Layout layout, in Operand x, bool through, DeviceBuffer dy,
        bool accumulate, DeviceBuffer dx)
        where TOp : struct, IElementwise =>
            Run(new ElementwiseJob<TOp>(op, shape, layout, new Affine(x), through, dy.Floats(), accumulate, dx.Floats()), shape, layout);

    private void Run<TOp>(ElementwiseJob<TOp> job, Shape shape, Layout layout) where TOp : struct, IElementwise =>
        _pool.Run(job, shape.N * (layout == Layout.Plain ? shape.C : Blocks.Count(shape.C)));
}

internal readonly struct CpuMath : IMath
{
    public double Exp(double x) => Math.Exp(x);

    public double Log(double x) => Math.Log(x);

    public double Sqrt(double x) => Math.Sqrt(x);
}

/// <summary>y (+)= f(x), or f′(x)·dy if dy is given, on one plane; 0 in padding lanes.</summary>
internal readonly unsafe struct ElementwiseJob<TOp>(TOp op, Shape s, Layout layout, Affine x, bool through, float* dy, bool accumulate,
    float* y) : IJob
    where TOp : struct, IElementwise
{
    public void Run(int index, Worker worker)
    {
        var place = new Places(s, layout);
        int first = index % place.Planes * place.Lanes, area = s.Area * place.Lanes;
        for (int i = 0; i < area; i++)
        {
            int c = first + i % place.Lanes;
            long at = (long)index * area + i;
            y[at] = (c < s.C ? (float)Value(c, at) : 0) + (accumulate ? y[at] : 0);
        }
    }

    private double Value(int c, long at)
    {
        float scale = x.Scale == null ? 1 : x.Scale[c], v = x.Scale == null ? x.Data[at] : scale * x.Data[at] + x.Shift[c];
        bool clamped = x.Relu && v <= 0; // not !(v > 0): NaN stays
        if (clamped) v = 0;
        if (dy == null) return op.Value(v, new CpuMath());
        double g = op.Derivative(v, new CpuMath()) * dy[at];
        return !through ? g : clamped ? 0 : g * scale;
    }
}

/// <summary>Where the values of a tensor lie, in either layout.</summary>
internal readonly struct Places(Shape s, Layout layout)
{
    /// <summary>Channels of a plane.</summary>
    public int Lanes { get; } = layout == Layout.Plain ? 1 : Blocks.Size;

    /// <summary>Planes of a sample.</summary>
    public int Planes => (s.C + Lanes - 1) / Lanes;

    public long At(int n, int c, int h, int w) => ((((long)n * Planes + c / Lanes) * s.H + h) * s.W + w) * Lanes + c % Lanes;
}
