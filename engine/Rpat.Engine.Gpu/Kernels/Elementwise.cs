using ILGPU;

namespace Rpat.Engine.Gpu.Kernels;

/// <summary>Scalar functions, one value per thread; 0 in an activation's padding channels.</summary>
internal sealed partial class GpuKernels<S> : IElementwiseKernels
{
    public void Elementwise<TOp>(in TOp op, Shape shape, Layout layout, in Operand x, DeviceBuffer y) where TOp : struct, IElementwise =>
        ForEach(Values(shape, layout), new ElementwiseValue<TOp>(
            op, Seen(shape, layout, x), new(shape, layout), Stored(layout, y)));

    public void ElementwiseGradient<TOp>(in TOp op, Shape shape, Layout layout, in Operand x, bool through, DeviceBuffer dy,
        bool accumulate, DeviceBuffer dx)
        where TOp : struct, IElementwise => ForEach(Values(shape, layout), new ElementwiseDerivative<TOp>(
            op, Seen(shape, layout, x), through ? 1 : 0, Stored(layout, dy), new(shape, layout), accumulate ? 1 : 0, Stored(layout, dx)));

    private static long Values(Shape shape, Layout layout) => layout == Layout.Plain ? shape.Count : 4L * ActivationQuads(shape);

    /// <summary>Single values of a tensor in either layout, seen through its view.</summary>
    private static PlainSource Seen(Shape s, Layout layout, in Operand x) => layout == Layout.Plain
        ? Plain(s, x)
        : Seen(1, 4 * ChannelQuads(s.C), x, x.Data is null ? default : Stored(layout, x.Data));

    /// <summary>The values of a tensor in either layout.</summary>
    private static Numbers Stored(Layout layout, DeviceBuffer data) => new(data.Floats(), layout == Layout.Plain || S.Words == 4 ? 0 : 1);
}

/// <summary>One number in double precision.</summary>
internal readonly struct GpuReal : IReal<GpuReal>
{
    public readonly double Value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public GpuReal(double value) => Value = value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static implicit operator GpuReal(double value) => new(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static GpuReal operator +(GpuReal a, GpuReal b) => new(a.Value + b.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static GpuReal operator -(GpuReal a, GpuReal b) => new(a.Value - b.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static GpuReal operator -(GpuReal a) => new(-a.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static GpuReal operator *(GpuReal a, GpuReal b) => new(a.Value * b.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static GpuReal operator /(GpuReal a, GpuReal b) => new(a.Value / b.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static GpuReal Exp(GpuReal x) => new(Real.Exp(x.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static GpuReal Log(GpuReal x) => new(x.Value == 0 ? double.NegativeInfinity : Real.Log(x.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static GpuReal IfLess(GpuReal a, GpuReal b, GpuReal then, GpuReal otherwise) =>
        new(a.Value < b.Value ? then.Value : otherwise.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static GpuReal IfEqual(GpuReal a, GpuReal b, GpuReal then, GpuReal otherwise) =>
        new(a.Value == b.Value ? then.Value : otherwise.Value);
}

/// <summary>The indices of a value.</summary>
internal readonly struct Cell
{
    public readonly int N, C, H, W;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Cell(int n, int c, int h, int w)
    {
        N = n;
        C = c;
        H = h;
        W = w;
    }
}

/// <summary>Where the values of a tensor lie, in either layout.</summary>
internal readonly struct Cells
{
    private readonly int _c, _h, _w, _width; // channels of a stored pixel, padding included; 0 in the plain layout

    public Cells(Shape s, Layout layout)
    {
        _c = s.C;
        _h = s.H;
        _w = s.W;
        _width = layout == Layout.Plain ? 0 : 4 * GpuKernels.ChannelQuads(s.C);
    }

    /// <summary>Whether a value is a channel and not padding.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool IsChannel(int i) => _width == 0 || i % _width < _c;

    /// <summary>The indices of a stored value.</summary>
    public Cell this[int i]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            int lanes = _width == 0 ? 1 : _width, pixel = i / lanes, plane = pixel / (_w * _h);
            int n = _width == 0 ? plane / _c : plane, c = _width == 0 ? plane - n * _c : i - pixel * lanes;
            return new Cell(n, c, pixel / _w % _h, pixel % _w);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int At(int n, int c, int h, int w) => _width == 0 ? ((n * _c + c) * _h + h) * _w + w : ((n * _h + h) * _w + w) * _width + c;
}

/// <summary>y = f(x).</summary>
internal readonly struct ElementwiseValue<TOp>(TOp op, PlainSource x, Cells cells, Numbers y) : IKernel
    where TOp : struct, IElementwise
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX;
        if (i >= y.Count) return;
        float v = 0;
        if (cells.IsChannel(i)) v = (float)op.Value<GpuReal>(x.Load(i)).Value;
        y.Store(i, v);
    }
}

/// <summary>dx (+)= d·f′(x)·dy.</summary>
internal readonly struct ElementwiseDerivative<TOp>(
    TOp op, PlainSource x, int through, Numbers dy, Cells cells, int accumulate, Numbers dx) : IKernel
    where TOp : struct, IElementwise
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX;
        if (i >= dx.Count) return;
        float g = 0;
        if (cells.IsChannel(i))
        {
            g = (float)(op.Derivative<GpuReal>(x.Load(i)).Value * dy.Load(i));
            if (through != 0) g = x.Backward(g, i);
        }
        dx.Put(i, g, accumulate);
    }
}
