using ILGPU;

namespace Rpat.Engine.Gpu.Kernels;

/// <summary>Element-wise ops, one quad of channels per thread; plain tensors (images) are processed value by value.</summary>
internal sealed partial class GpuKernels<S> : IPointwiseKernels
{
    public void Apply(Shape shape, Layout layout, in Operand x, DeviceBuffer y)
    {
        if (layout == Layout.Plain) ForEach(shape.Count, new PlainApply(Plain(shape, x), y.Floats()));
        else ForEach(ActivationQuads(shape), new AddQuad<S>(x.Source<S>(), default, ChannelQuads(shape.C), 0, 0, y.Stored<S>()));
    }

    public void Add(Shape shape, in Operand a, in Operand b, bool relu, DeviceBuffer y) =>
        ForEach(ActivationQuads(shape), new AddQuad<S>(
            a.Source<S>(), b.Source<S>(), ChannelQuads(shape.C), 1, relu ? 1 : 0, y.Stored<S>()));

    public void AddGradient(Shape shape, Layout layout, DeviceBuffer dy, DeviceBuffer? y, in Operand through, bool accumulate,
        DeviceBuffer dx)
    {
        int add = accumulate ? 1 : 0;
        if (layout == Layout.Plain)
            ForEach(shape.Count, new PlainGradient(dy.Floats(), FloatsOrNone(y), Plain(shape, through), add, dx.Floats()));
        else
            ForEach(ActivationQuads(shape), new AddGradientQuad<S>(
                dy.Stored<S>(), y.StoredOrNone<S>(), y is null ? 0 : 1, through.Source<S>(), ChannelQuads(shape.C), add, dx.Stored<S>()));
    }

    private static PlainSource Plain(Shape s, in Operand x) => Seen(s.Area, s.C, x, new(((DeviceBuffer?)x.Data).FloatsOrNone(), 0));

    private static PlainSource Seen(int area, int channels, in Operand x, Numbers data) => new(
        area, channels, data, FloatsOrNone(x.Scale), FloatsOrNone(x.Shift), x.IsView ? 1 : 0, x.Relu ? 1 : 0);
}

/// <summary>y = [ReLU](a + b), views applied; b is optional.</summary>
internal readonly struct AddQuad<S>(Source<S> a, Source<S> b, int quads, int hasB, int relu, Quads<S> y) : IKernel
    where S : struct, IStorage
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX, quad = i % quads;
        if (i >= y.Count) return;
        V4 v = a.Load(i, quad);
        if (hasB != 0) v += b.Load(i, quad);
        y.Store(i, relu != 0 ? v.Relu() : v);
    }
}

/// <summary>dx (+)= d·dy·[y &gt; 0]; y is optional.</summary>
internal readonly struct AddGradientQuad<S>(
    Quads<S> dy, Quads<S> y, int hasY, Source<S> through, int quads, int accumulate, Quads<S> dx) : IKernel where S : struct, IStorage
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX;
        if (i >= dx.Count) return;
        V4 g = dy.Load(i);
        if (hasY != 0) g = g.Where(y.Load(i));
        dx.Put(i, through.Backward(g, i, i % quads), accumulate);
    }
}

/// <summary>Values <c>[N][C][area]</c> with a view.</summary>
internal readonly struct PlainSource(
    int area, int channels, Numbers data, ArrayView<float> scale, ArrayView<float> shift, int isMap, int relu)
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Load(int i)
    {
        float v = Mapped(i);
        return relu != 0 && v <= 0 ? 0 : v; // not !(v > 0): NaN stays
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Backward(float g, int i)
    {
        if (relu != 0 && !(Mapped(i) > 0)) return 0;
        return isMap != 0 ? scale[i / area % channels] * g : g;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private float Mapped(int i)
    {
        int c = i / area % channels;
        float v = data.Load(i);
        return isMap != 0 ? scale[c] * v + shift[c] : v;
    }
}

/// <summary>y = [ReLU](scale·x + shift) of plain values.</summary>
internal readonly struct PlainApply(PlainSource x, ArrayView<float> y) : IKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX;
        if (i < y.IntLength) y[i] = x.Load(i);
    }
}

/// <summary>dx (+)= d·dy·[y &gt; 0] of plain values; an empty y masks nothing.</summary>
internal readonly struct PlainGradient(ArrayView<float> dy, ArrayView<float> y, PlainSource through, int accumulate, ArrayView<float> dx)
    : IKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX;
        if (i >= dx.IntLength) return;
        float v = 0;
        if (y.IntLength == 0 || y[i] > 0) v = through.Backward(dy[i], i);
        dx[i] = accumulate != 0 ? dx[i] + v : v;
    }
}
