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
/// accumulated. A split-K product stores bare sums instead, one slice per split.
/// </summary>
internal readonly struct Target(ArrayView<V4> y, ArrayView<V4> add, Source through, int columns, Placement placement)
{
    private readonly ArrayView<V4> _y = y;
    private readonly ArrayView<V4> _add = add;
    private readonly Source _through = through;
    private readonly Placement _placement = placement;
    private readonly int _adds = add.Length > 0 ? 1 : 0;

    /// <summary>Quads of a row.</summary>
    public readonly int Columns = columns;

    private int Slice { get; init; }

    /// <summary>A slice of bare sums for each split.</summary>
    public static Target Partial(ArrayView<V4> partial, int rows, int columns) =>
        new(partial, default, default, columns, Placement.Whole) { Slice = rows * columns };

    /// <summary>The first quad of the m-th pixel of a split.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int RowOf(int split, int m) => split * Slice + _placement.PixelAt(m) * Columns;

    /// <summary>Stores four channels of the pixel whose first quad is <paramref name="row"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(int row, int quad, V4 sum)
    {
        int at = row + quad;
        V4 v = _through.Backward(sum, at, quad);
        if (_adds != 0) v += _add[at];
        _y[at] = v;
    }
}

/// <summary>Adds the slices of a product in order and stores the sum as an unsplit product would.</summary>
internal readonly struct SumSplits(ArrayView<V4> partial, int splits, int rows, Target target) : IKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX, slice = rows * target.Columns;
        if (i >= slice) return;
        V4 sum = partial[i];
        for (int split = 1; split < splits; split++) sum += partial[split * slice + i];
        int m = i / target.Columns;
        target.Store(target.RowOf(0, m), i - m * target.Columns, sum);
    }
}

/// <summary>Partial weight gradients, <c>[split][tap, channel][filter]</c>.</summary>
internal readonly struct WeightTarget(ArrayView<V4> partial, int rows, int columns)
{
    /// <summary>Stores four filters of a row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(int split, int row, int quad, V4 sum)
    {
        if (row < rows && quad < columns) partial[(split * rows + row) * columns + quad] = sum;
    }
}

/// <summary>Adds the slices of a weight gradient in order and stores the sum in the order of the weights, <c>[K][C][taps]</c>.</summary>
internal readonly struct SumWeights(
    ArrayView<V4> partial, int splits, int rows, int columns, int channels, int paddedChannels, int filters, int accumulate,
    ArrayView<float> dw) : IKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX, row = i / columns, tap = row / paddedChannels, c = row - tap * paddedChannels;
        if (row >= rows || c >= channels) return;
        V4 sum = partial[i];
        for (int split = 1; split < splits; split++) sum += partial[split * rows * columns + i];
        int k = 4 * (i - row * columns), taps = rows / paddedChannels, step = channels * taps, to = k * step + c * taps + tap;
        Put(k, to, sum.X);
        Put(k + 1, to + step, sum.Y);
        Put(k + 2, to + 2 * step, sum.Z);
        Put(k + 3, to + 3 * step, sum.W);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Put(int k, int to, float value)
    {
        if (k < filters) dw[to] = accumulate != 0 ? dw[to] + value : value;
    }
}
