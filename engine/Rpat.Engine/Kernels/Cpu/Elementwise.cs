using System.Runtime.CompilerServices;

namespace Rpat.Engine.Kernels.Cpu;

/// <summary>Functions of one number, one item a plane; value by value, since the function is only known to take one.</summary>
internal sealed unsafe partial class CpuKernels : IElementwiseKernels
{
    public void Elementwise<TOp>(in TOp op, Shape shape, Layout layout, in Operand x, DeviceBuffer y) where TOp : struct, IElementwise =>
        _pool.Run(new ElementwiseValues<TOp>(op, shape, layout, new Affine(x), y.Floats()), LanePlane.Count(shape, layout));

    public void ElementwiseGradient<TOp>(
        in TOp op, Shape shape, Layout layout, in Operand x, DeviceBuffer dy, bool through, bool accumulate, DeviceBuffer dx)
        where TOp : struct, IElementwise => _pool.Run(
            new ElementwiseGradients<TOp>(op, shape, layout, new Affine(x), dy.Floats(), through, accumulate, dx.Floats()),
            LanePlane.Count(shape, layout));
}

/// <summary>What every backend has for functions of one number.</summary>
internal readonly struct CpuMath : IMath
{
    public double Exp(double x) => Math.Exp(x);

    public double Log(double x) => Math.Log(x);
}

/// <summary>A plane of either layout: one channel of a plain image, or 16 lanes of which some may be no channel.</summary>
internal readonly unsafe struct LanePlane(Shape s, Layout layout, int index)
{
    private readonly int _channel = layout == Layout.Plain ? index % s.C : index % Blocks.Count(s.C) * Blocks.Size;

    public static int Count(Shape s, Layout layout) => s.N * (layout == Layout.Plain ? s.C : Blocks.Count(s.C));

    public int Lanes => layout == Layout.Plain ? 1 : Blocks.Size;

    public long First => (long)index * s.Area * Lanes;

    public int Channels => Math.Min(Lanes, s.C - _channel);

    /// <summary>scale·x + shift at a place of that lane, before any clamp.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Load(Affine x, long at, int lane) => x.Scale == null ? x.Data[at] : x.Scale[_channel + lane] * x.Data[at] + x.Shift[_channel + lane];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float ScaleOf(Affine x, int lane) => x.Scale == null ? 1 : x.Scale[_channel + lane];
}

/// <summary>y = f(x) on one plane.</summary>
internal readonly unsafe struct ElementwiseValues<TOp>(TOp op, Shape s, Layout layout, Affine x, float* y) : IJob where TOp : struct, IElementwise
{
    public void Run(int index, Worker worker)
    {
        var plane = new LanePlane(s, layout, index);
        int lanes = plane.Lanes, channels = plane.Channels;
        for (long at = plane.First, end = at + (long)s.Area * lanes; at < end; at += lanes)
            for (int lane = 0; lane < lanes; lane++)
            {
                float v = lane < channels ? plane.Load(x, at + lane, lane) : 0;
                y[at + lane] = lane < channels ? (float)op.Value(x.Relu && v <= 0 ? 0 : v, new CpuMath()) : 0;
            }
    }
}

/// <summary>dx (+)= [d·]f′(x)·dy on one plane.</summary>
internal readonly unsafe struct ElementwiseGradients<TOp>(
    TOp op, Shape s, Layout layout, Affine x, float* dy, bool through, bool accumulate, float* dx) : IJob where TOp : struct, IElementwise
{
    public void Run(int index, Worker worker)
    {
        var plane = new LanePlane(s, layout, index);
        int lanes = plane.Lanes, channels = plane.Channels;
        for (long at = plane.First, end = at + (long)s.Area * lanes; at < end; at += lanes)
            for (int lane = 0; lane < lanes; lane++)
            {
                float g = lane < channels ? Gradient(plane, at + lane, lane) : 0;
                dx[at + lane] = g + (accumulate ? dx[at + lane] : 0);
            }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private float Gradient(in LanePlane plane, long at, int lane)
    {
        float v = plane.Load(x, at, lane), g = (float)(op.Derivative(x.Relu && v <= 0 ? 0 : v, new CpuMath()) * dy[at]);
        if (!through) return g;
        return x.Relu && !(v > 0) ? 0 : plane.ScaleOf(x, lane) * g;
    }
}
