using ILGPU;

namespace Rpat.Engine.Gpu.Kernels;

/// <summary>
/// Where the output pixels of a product are stored: all of them in order or, in the input gradient of a strided layer, those of one phase.
/// </summary>
internal readonly struct Placement
{
    private int Stride { get; init; }
    private int Y { get; init; }
    private int X { get; init; }
    private int FullH { get; init; }
    private int FullW { get; init; }
    private int H { get; init; }
    private int W { get; init; }

    /// <summary>Pixel m is the m-th of the output.</summary>
    public static Placement Whole => new() { Stride = 1 };

    public static Placement Phase(in ConvShape s, int phase) => s.Stride == 1 ? Whole with { H = s.Input.H, W = s.Input.W } : new()
    {
        Stride = s.Stride,
        Y = phase / s.Stride,
        X = phase % s.Stride,
        FullH = s.Input.H,
        FullW = s.Input.W,
        H = Extent(s.Input.H, phase / s.Stride, s.Stride),
        W = Extent(s.Input.W, phase % s.Stride, s.Stride),
    };

    /// <summary>How many of 0…size−1 have this remainder when divided by the stride.</summary>
    public static int Extent(int size, int remainder, int stride) => Math.Max(0, (size - remainder + stride - 1) / stride);

    public int Pixels(int batch) => batch * H * W;

    /// <summary>Index of the m-th pixel in the whole output.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int PixelAt(int m)
    {
        if (Stride == 1) return m;
        int row = m / W, image = row / H;
        return (image * FullH + (row - image * H) * Stride + Y) * FullW + (m - row * W) * Stride + X;
    }
}

/// <summary>
/// How the results of a product reach memory: y = [derivative of a view·]sum [+ add], where add is a residual or the gradient that is
/// accumulated. An image's gradient is bare sums in float32, and so is a split-K product, one slice per split.
/// </summary>
internal readonly struct Target<S>(Quads<S> y, Quads<S> add, Source<S> through, int columns, Placement placement)
    where S : struct, IStorage
{
    private readonly Quads<S> _y = y;
    private readonly Quads<S> _add = add;
    private readonly Source<S> _through = through;
    private readonly Placement _placement = placement;
    private readonly int _adds = add.Count > 0 ? 1 : 0;

    /// <summary>Quads of a row.</summary>
    public readonly int Columns = columns;

    private int Slice { get; init; }

    private ArrayView<V4> Bare { get; init; }

    /// <summary>Bare sums, those of each split that many quads after those of the one before.</summary>
    public static Target<S> Sums(ArrayView<V4> sums, int slice, int columns, Placement placement) =>
        new(default, default, default, columns, placement) { Slice = slice, Bare = sums };

    /// <summary>The same for another name of the storage.</summary>
    public Target<T> As<T>() where T : struct, IStorage =>
        new(_y.As<T>(), _add.As<T>(), _through.As<T>(), Columns, _placement) { Slice = Slice, Bare = Bare };

    /// <summary>The first quad of the m-th pixel of a split.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int RowOf(int split, int m) => split * Slice + _placement.PixelAt(m) * Columns;

    /// <summary>Stores four channels of the pixel whose first quad is <paramref name="row"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(int row, int quad, V4 sum)
    {
        int at = row + quad;
        if (Bare.Length > 0)
        {
            Bare[at] = sum;
            return;
        }
        V4 v = _through.Backward(sum, at, quad);
        if (_adds != 0) v += _add.Load(at);
        _y.Store(at, v);
    }
}

/// <summary>Adds the slices of a product in order and stores the sum as an unsplit product would.</summary>
internal readonly struct SumSplits<S>(QuadGrid places, ArrayView<V4> partial, int splits, Target<S> target) : IKernel
    where S : struct, IStorage
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        int row = places.Row, quad = places.Quad, i = row * places.Quads + quad, slice = places.Rows * places.Quads;
        if (row >= places.Rows || quad >= places.Quads) return;
        V4 sum = partial[i];
        for (int split = 1; split < splits; split++) sum += partial[split * slice + i];
        target.Store(target.RowOf(0, row), quad, sum);
    }
}

/// <summary>Partial weight gradients, <c>[split][tap, channel][filter]</c>, padded to sixteen filters.</summary>
internal readonly struct WeightTarget(ArrayView<V4> partial, int rows, int columns)
{
    /// <summary>Quads of filters whose order within each other depends on the kernel.</summary>
    public const int Together = 4;

    /// <summary>Stores four filters of a row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(int split, int row, int quad, V4 sum)
    {
        if (row < rows && quad < columns) partial[(split * rows + row) * columns + quad] = sum;
    }
}

/// <summary>
/// Adds the slices of a weight gradient in order and stores the sum in the order of the weights, <c>[K][C][taps]</c>. A quad holds four
/// adjacent filters; or, of sixteen, two adjacent ones and the two that are eight further (<see cref="WeightBf16Gemm{V}"/>). Grid: the
/// channels and quads of a tap × taps.
/// </summary>
internal readonly struct SumWeights(
    QuadGrid places, ArrayView<V4> partial, int splits, int channels, int filters, int pairs, int accumulate, ArrayView<float> dw) : IKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        int c = places.Row, quad = places.Quad, tap = Grid.IdxZ, taps = Grid.DimZ, i = (tap * places.Rows + c) * places.Quads + quad;
        if (c >= channels || quad >= places.Quads) return;
        V4 sum = partial[i];
        for (int split = 1; split < splits; split++) sum += partial[split * taps * places.Rows * places.Quads + i];
        int k = pairs != 0 ? 16 * (quad >> 2) + 2 * (quad & 3) : 4 * quad, later = pairs != 0 ? 8 : 2;
        int step = channels * taps, to = k * step + c * taps + tap;
        Put(k, to, sum.X);
        Put(k + 1, to + step, sum.Y);
        Put(k + later, to + later * step, sum.Z);
        Put(k + later + 1, to + (later + 1) * step, sum.W);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Put(int k, int to, float value)
    {
        if (k < filters) dw[to] = accumulate != 0 ? dw[to] + value : value;
    }
}
