using ILGPU;

namespace Rpat.Engine.Gpu.Kernels;

internal sealed partial class GpuKernels<S> : IPool2dKernels
{
    public void GlobalAveragePool(Shape shape, in Operand x, DeviceBuffer y) =>
        ForEach((long)shape.N * ChannelQuads(shape.C),
        new AverageQuad<S>(x.Source<S>(), shape.N, shape.C, shape.Area, ChannelQuads(shape.C), y.Floats()));

    public void GlobalAveragePoolGradient(Shape shape, DeviceBuffer dy, in Operand through, bool accumulate, DeviceBuffer dx) =>
        ForEach(ActivationQuads(shape), new AverageGradientQuad<S>(
            dy.Floats(), shape.C, shape.Area, ChannelQuads(shape.C), through.Source<S>(), accumulate ? 1 : 0, dx.Stored<S>()));

    public void MaxPool(in PoolShape s, in Operand x, DeviceBuffer y) =>
        ForEach(ActivationQuads(s.Output), new MaxQuad<S>(new MaxWindows<S>(s, x.Source<S>()), y.Stored<S>()));

    public void MaxPoolGradient(in PoolShape s, in Operand x, DeviceBuffer dy, in Operand through, bool accumulate, DeviceBuffer dx) =>
        ForEach(ActivationQuads(s.Input), new MaxGradientQuad<S>(
            new MaxWindows<S>(s, x.Source<S>()), dy.Stored<S>(), through.Source<S>(), accumulate ? 1 : 0, dx.Stored<S>()));
}

/// <summary>Means of an image's maps for a quad of channels, stored in the plain layout.</summary>
internal readonly struct AverageQuad<S>(Source<S> x, int images, int channels, int area, int quads, ArrayView<float> y) : IKernel
    where S : struct, IStorage
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX, image = i / quads, quad = i - image * quads, c = 4 * quad;
        if (image >= images) return;
        V4 sum = new(0);
        for (int p = 0; p < area; p++) sum += x.Load((image * area + p) * quads + quad, quad);
        V4 mean = 1f / area * sum;
        int to = image * channels + c;
        y[to] = mean.X;
        if (c + 1 < channels) y[to + 1] = mean.Y;
        if (c + 2 < channels) y[to + 2] = mean.Z;
        if (c + 3 < channels) y[to + 3] = mean.W;
    }
}

/// <summary>Distributes the gradients of an image's means over its pixels.</summary>
internal readonly struct AverageGradientQuad<S>(
    ArrayView<float> dy, int channels, int area, int quads, Source<S> through, int accumulate, Quads<S> dx) : IKernel
    where S : struct, IStorage
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX, quad = i % quads, c = 4 * quad;
        if (i >= dx.Count) return;
        int from = i / quads / area * channels + c;
        var g = new V4(dy[from], c + 1 < channels ? dy[from + 1] : 0, c + 2 < channels ? dy[from + 2] : 0,
            c + 3 < channels ? dy[from + 3] : 0);
        dx.Put(i, through.Backward(1f / area * g, i, quad), accumulate);
    }
}

/// <summary>The windows of max pooling; a NaN in a window is its maximum, as in PyTorch.</summary>
internal readonly struct MaxWindows<S> where S : struct, IStorage
{
    private readonly Source<S> _x;
    private readonly int _h, _w, _p, _q, _window, _stride, _padding, _quads;

    public MaxWindows(in PoolShape s, Source<S> x)
    {
        _x = x;
        _h = s.Input.H;
        _w = s.Input.W;
        _p = s.Output.H;
        _q = s.Output.W;
        _window = s.Window;
        _stride = s.Stride;
        _padding = s.Padding;
        _quads = GpuKernels.ChannelQuads(s.Input.C);
    }

    /// <summary>
    /// Maxima of an output quad, and the position in the window where each first occurred; all threads of a warp call it.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public MaxPlace Find(int output, bool exists)
    {
        int pixel = output / _quads, quad = Pin.Here(output - pixel * _quads), row = pixel / _q, image = row / _p;
        int y = (row - image * _p) * _stride - _padding, x = (pixel - row * _q) * _stride - _padding;
        return FindFrom(Pin.Here(image * _h), Pin.Here(y), Pin.Here(x), quad, exists);
    }

    /// <summary>Σ of the gradients of all windows whose maximum is this quad; all threads of a warp call it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V4 Gather(int input, Quads<S> dy, bool exists)
    {
        int pixel = input / _quads, quad = Pin.Here(input - pixel * _quads), row = pixel / _w, number = row / _h;
        int image = Pin.Here(number), y = Pin.Here(row - number * _h + _padding), x = Pin.Here(pixel - row * _w + _padding);
        int firstP = Pin.Here(First(y)), firstQ = Pin.Here(First(x)), lastP = Pin.Here(Last(y, _p)), lastQ = Pin.Here(Last(x, _q));
        V4 sum = new(0);
        if (!exists) return sum;
        for (int p = firstP; p <= lastP; p++)
            for (int q = firstQ; q <= lastQ; q++)
            {
                int place = (y - p * _stride) * _window + x - q * _stride;
                var best = FindFrom(image * _h, p * _stride - _padding, q * _stride - _padding, quad, true);
                sum += best.At(place, dy.Load(((image * _p + p) * _q + q) * _quads + quad));
            }
        return sum;
    }

    /// <summary>Maxima of the window that begins at (top, left) of the image whose first row is given; padding is left out.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private MaxPlace FindFrom(int image, int top, int left, int quad, bool exists)
    {
        var best = new MaxPlace(new V4(float.NegativeInfinity), -1, -1, -1, -1);
        for (int y = 0; y < _window && exists; y++)
            for (int x = 0; x < _window; x++)
            {
                int h = top + y, w = left + x;
                if (h >= 0 && h < _h && w >= 0 && w < _w)
                    best = best.Offer(_x.Load(((image + h) * _w + w) * _quads + quad, quad), y * _window + x);
            }
        return best;
    }

    public int Quads
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => _quads;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int First(int i) => i < _window ? 0 : (i - _window) / _stride + 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int Last(int i, int count) => i / _stride < count ? i / _stride : count - 1;
}

/// <summary>Four maxima and their positions in the window.</summary>
internal readonly struct MaxPlace(V4 best, int x, int y, int z, int w)
{
    public readonly V4 Best = best;
    private readonly int _x = x, _y = y, _z = z, _w = w;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public MaxPlace Offer(V4 v, int place)
    {
        // The first value is taken whatever it is: the window may begin in the padding, and all its values be −∞.
        bool a = Beats(v.X, Best.X) | _x < 0, b = Beats(v.Y, Best.Y) | _y < 0,
            c = Beats(v.Z, Best.Z) | _z < 0, d = Beats(v.W, Best.W) | _w < 0;
        var best = new V4(a ? v.X : Best.X, b ? v.Y : Best.Y, c ? v.Z : Best.Z, d ? v.W : Best.W);
        return new MaxPlace(best, a ? place : _x, b ? place : _y, c ? place : _z, d ? place : _w);
    }

    /// <summary>The gradient if the maximum is at that position, else zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V4 At(int place, V4 g) => new(_x == place ? g.X : 0, _y == place ? g.Y : 0, _z == place ? g.Z : 0, _w == place ? g.W : 0);

    // The second half: v is NaN, and the best so far is not.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool Beats(float v, float best) => v > best || (!(v >= best) && !(v < best) && best >= float.NegativeInfinity);
}

internal readonly struct MaxQuad<S>(MaxWindows<S> pool, Quads<S> y) : IKernel where S : struct, IStorage
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX;
        MaxPlace found = pool.Find(i, i < y.Count);
        if (i < y.Count) y.Store(i, found.Best);
    }
}

/// <summary>Each input quad reads from the windows that contain it, instead of windows writing to shared pixels: no atomics.</summary>
internal readonly struct MaxGradientQuad<S>(MaxWindows<S> pool, Quads<S> dy, Source<S> through, int accumulate, Quads<S> dx) : IKernel
    where S : struct, IStorage
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX;
        V4 gathered = pool.Gather(i, dy, i < dx.Count);
        if (i < dx.Count) dx.Put(i, through.Backward(gathered, i, i % pool.Quads), accumulate);
    }
}
