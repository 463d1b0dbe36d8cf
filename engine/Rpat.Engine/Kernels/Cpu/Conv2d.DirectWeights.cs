using System.Runtime.Intrinsics;

namespace Rpat.Engine.Kernels.Cpu;

/// <summary>
/// Direct weight gradient: for each (filter panel, channel block, tap) a product whose reduction runs over pixels. Images are
/// packed some at a time; every thread then owns whole output tiles and adds the pixels in the same order, so that the result
/// does not depend on the number of threads.
/// </summary>
internal sealed unsafe partial class CpuKernels
{
    private const int ChunkBytes = 6 << 20; // packed x and dy that stay in the last-level cache

    private void DirectWeightGradient(in ConvShape s, in Operand x, float* dy, bool accumulate, float* dw)
    {
        var plan = new WeightGradientPlan(s);
        int chunk = (int)Math.Clamp(ChunkBytes / ((plan.XFloats + plan.DyFloats) * sizeof(float)), 1, s.Input.N);
        float* xs = _pool.Caller.Scratch(4, chunk * plan.XFloats + PackImage.Slack);
        float* dys = _pool.Caller.Scratch(5, chunk * plan.DyFloats);
        float* sums = _pool.Caller.Scratch(6, plan.SumFloats);
        nint* segment = (nint*)_pool.Caller.Scratch(7, 2L * chunk * s.P);
        for (int first = 0; first < s.Input.N; first += chunk)
        {
            int count = Math.Min(chunk, s.Input.N - first);
            plan.FillSegments(count, segment);
            _pool.Run(new PackForWeightsJob(plan, new Affine(x), dy, first, xs, dys, count), count);
            _pool.Run(new WeightTilesJob(_tiles, plan, xs, dys, segment, count, first > 0, sums), plan.Items);
        }
        _pool.Run(new UnpackWeightsJob(plan, sums, accumulate, dw), s.K);
    }
}

/// <summary>Sizes of the packed operands. Blocked inputs have an item a (channel block, tap), images one a filter row.</summary>
internal readonly unsafe struct WeightGradientPlan
{
    public WeightGradientPlan(in ConvShape s)
    {
        Shape = s;
        IsStem = s.InputLayout == Layout.Plain;
        (Height, Width) = (s.Input.H + 2 * s.Padding, s.Input.W + 2 * s.Padding);
        PixelFloats = IsStem ? s.C : Blocks.Size;
        Rows = IsStem ? (s.R * s.C + 3) / 4 * 4 : Blocks.Size;
        Groups = IsStem ? s.R : Blocks.Count(s.C) * s.R * s.R;
        XFloats = (long)Height * Width * (IsStem ? s.C : Blocks.Count(s.C) * Blocks.Size);
        Panels = Panel.Count(Blocks.Count(s.K));
        DyFloats = (long)s.P * s.Q * Blocks.Count(s.K) * Blocks.Size;
        SumFloats = (long)Groups * Rows * Blocks.Count(s.K) * Blocks.Size;
    }

    public ConvShape Shape { get; }
    public bool IsStem { get; }
    public int Height { get; }
    public int Width { get; }
    public int PixelFloats { get; }

    /// <summary>Rows of an output tile: 16 channels, or (s, channel) of one filter row.</summary>
    public int Rows { get; }
    public int Groups { get; }
    public long XFloats { get; }
    public long DyFloats { get; }
    public long SumFloats { get; }
    public int Panels { get; }
    public int Items => Panels * Groups;

    /// <summary>Where a group's first operand begins in a packed image.</summary>
    public long GroupOffset(int group)
    {
        if (IsStem) return (long)group * Width * Shape.C;
        int taps = Shape.R * Shape.R, tap = group % taps;
        return (((long)(group / taps) * Height + tap / Shape.R) * Width + tap % Shape.R) * Blocks.Size;
    }

    /// <summary>One segment a row of output pixels.</summary>
    public void FillSegments(int images, nint* segment)
    {
        for (int n = 0; n < images; n++)
            for (int y = 0; y < Shape.P; y++)
                *segment++ = (nint)(n * XFloats + (long)y * Shape.Stride * Width * PixelFloats);
    }
}

/// <summary>Packs one image and its output gradient, the latter as <c>[panel][image][pixel][columns]</c>.</summary>
internal readonly unsafe struct PackForWeightsJob(WeightGradientPlan plan, Affine x, float* dy, int first, float* xs, float* dys, int count) : IJob
{
    public void Run(int index, Worker worker)
    {
        var s = plan.Shape;
        long n = first + index;
        float* to = xs + index * plan.XFloats;
        if (plan.IsStem) PackImage.ChannelsLast(x, n * s.Input.SampleCount, s.C, s.Input.H, s.Input.W, s.Padding, to);
        else PackImage.Blocked(x, n * Blocks.Count(s.C) * s.Input.Area * Blocks.Size, Blocks.Count(s.C), s.Input.H, s.Input.W, s.Padding, s.Padding, to);
        int pixels = s.P * s.Q, kb = Blocks.Count(s.K);
        for (int block = 0; block < kb;)
        {
            var panel = Columns.PanelOf(block, kb);
            for (int j = 0; j < panel.Blocks; j++)
                Interleave(dy + (n * kb + panel.Block + j) * pixels * Blocks.Size, pixels, panel.Columns,
                    dys + panel.Offset((long)count * pixels) + (long)index * pixels * panel.Columns + j * Blocks.Size);
            block += panel.Blocks;
        }
    }

    private static void Interleave(float* from, int pixels, int step, float* to)
    {
        for (int i = 0; i < pixels; i++) Vector512.Load(from + i * Blocks.Size).Store(to + (long)i * step);
    }
}

/// <summary>Adds a chunk's pixels to one item's tile of sums.</summary>
internal readonly unsafe struct WeightTilesJob(Tile.Kernel[] tiles, WeightGradientPlan plan, float* xs, float* dys, nint* segment, int count,
    bool accumulate, float* sums) : IJob
{
    public void Run(int index, Worker worker)
    {
        var s = plan.Shape;
        var panel = Panel.At(index / plan.Groups, Blocks.Count(s.K));
        int group = index % plan.Groups;
        float* a = xs + plan.GroupOffset(group);
        float* b = dys + panel.Offset((long)count * s.P * s.Q);
        float* c = sums + panel.Offset((long)plan.Groups * plan.Rows) + (long)group * plan.Rows * panel.Columns;
        ref readonly var tile = ref RowOfTiles.Pick(tiles, panel.Blocks, plan.Rows);
        for (int j = 0; j < panel.Blocks; j += tile.Blocks)
            for (int m = 0; m < plan.Rows; m += tile.Rows)
                tile.Run(a + m, 1, s.Stride * plan.PixelFloats, segment, count * s.P, s.Q, b + j * Blocks.Size, panel.Columns,
                    c + (long)m * panel.Columns + j * Blocks.Size, panel.Columns, accumulate);
    }
}

/// <summary>Copies one filter's sums to the weight's own order.</summary>
internal readonly unsafe struct UnpackWeightsJob(WeightGradientPlan plan, float* sums, bool accumulate, float* dw) : IJob
{
    public void Run(int index, Worker worker)
    {
        var s = plan.Shape;
        var panel = Columns.PanelOf(index / Blocks.Size, Blocks.Count(s.K));
        float* from = sums + panel.Offset((long)plan.Groups * plan.Rows) + index - panel.Block * Blocks.Size;
        float* to = dw + (long)index * s.C * s.R * s.R;
        for (int c = 0; c < s.C; c++)
            for (int tap = 0; tap < s.R * s.R; tap++, to++)
                *to = from[Row(c, tap) * panel.Columns] + (accumulate ? *to : 0);
    }

    private long Row(int c, int tap)
    {
        var s = plan.Shape;
        if (plan.IsStem) return (long)(tap / s.R) * plan.Rows + tap % s.R * s.C + c;
        return ((long)(c / Blocks.Size) * s.R * s.R + tap) * Blocks.Size + c % Blocks.Size;
    }
}
