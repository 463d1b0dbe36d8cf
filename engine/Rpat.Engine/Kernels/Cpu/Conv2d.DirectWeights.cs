using System.Runtime.Intrinsics;

namespace Rpat.Engine.Kernels.Cpu;

/// <summary>
/// Direct weight gradient: rows are (channel block, tap, channel), columns filters, and the reduction runs over pixels. An item owns a
/// channel block's tiles of sums for a share of the images, and packs that block itself; the output gradient is read where it lies.
/// Shares are a rule of the shape and added in order, so that the result does not depend on the number of threads.
/// </summary>
internal sealed unsafe partial class CpuKernels
{
    private void DirectWeightGradient(in ConvShape s, in Operand x, float* dy, bool accumulate, float* dw)
    {
        var plan = new WeightGradientPlan(s, new Affine(x));
        float* sums = _pool.Caller.Scratch(6, plan.Shares * plan.ShareFloats);
        nint* rows = (nint*)_pool.Caller.Scratch(7, 2L * plan.Groups);
        plan.FillRows(rows);
        _pool.Run(new WeightTilesJob(_grouped, plan, dy, rows, sums), plan.Items);
        _pool.Run(new UnpackWeightsJob(plan, sums, accumulate, dw), Blocks.Count(s.K));
    }
}

/// <summary>How the sums of a weight gradient are cut into tiles, items and shares.</summary>
internal readonly unsafe struct WeightGradientPlan
{
    private const int ImageBytes = 256 << 10; // of both operands of an item, which stay in L2
    private const int PartPixels = 128; // whose operands stay in L1 while all tiles of an item pass
    private const int ItemTiles = 12; // the nine taps of a channel block
    private const int LeastItems = 16;

    public WeightGradientPlan(in ConvShape s, in Affine x)
    {
        Shape = s;
        Input = new PackedInput(s, x);
        GroupRows = Input.IsStem && s.R % 3 == 0 ? 3 : 4;
        Segments = Input.Segments;
        Groups = (Segments * SegmentGroups + Tile.Groups - 1) / Tile.Groups * Tile.Groups;
        Pairs = (Blocks.Count(s.K) + 1) / 2;
        DyFloats = (long)s.P * s.Q * Blocks.Count(s.K) * Blocks.Size;
        Runs = (Groups / Tile.Groups + ItemTiles - 1) / ItemTiles;
        Shares = Math.Clamp((LeastItems + Runs - 1) / Runs, 1, s.Input.N);
    }

    public ConvShape Shape { get; }
    public PackedInput Input { get; }

    /// <summary>Rows of a tile's group: four channels, or three (s, channel) of an image's filter row.</summary>
    public int GroupRows { get; }

    /// <summary>Groups of rows, the last tile's filling included.</summary>
    public int Groups { get; }

    /// <summary>Pairs of filter blocks.</summary>
    public int Pairs { get; }

    /// <summary>Runs of tiles that an item has.</summary>
    public int Runs { get; }

    /// <summary>Parts of the images that are summed on their own.</summary>
    public int Shares { get; }

    /// <summary>Floats of an image's output gradient.</summary>
    public long DyFloats { get; }

    public int Items => Shares * Runs;

    /// <summary>Floats of a share's sums, <c>[pair][group][row][2·16]</c>.</summary>
    public long ShareFloats => (long)Pairs * PairFloats;

    public long PairFloats => (long)Groups * GroupRows * 2 * Blocks.Size;

    /// <summary>Images that an item takes through all its tiles before the next.</summary>
    public int Images => (int)Math.Max(1, ImageBytes / sizeof(float) / (Input.BlockFloats + DyFloats));

    /// <summary>Rows of output pixels that an item takes through the tiles of a pair before the next.</summary>
    public int PartRows => Math.Max(1, PartPixels / Shape.Q);

    /// <summary>The channel block that a group of rows reads.</summary>
    public int BlockOf(int group) => Input.BlockOf(Math.Min(group, Segments * SegmentGroups - 1) / SegmentGroups);

    private int Segments { get; }

    private int SegmentGroups => (Input.SegmentLength + GroupRows - 1) / GroupRows;

    /// <summary>Where each group's first row reads; fillings repeat the last.</summary>
    public void FillRows(nint* rows)
    {
        for (int g = 0; g < Groups; g++)
        {
            int group = Math.Min(g, Segments * SegmentGroups - 1);
            rows[g] = Input.SegmentOffset(group / SegmentGroups) + group % SegmentGroups * GroupRows;
        }
    }

    /// <summary>Rows of the sums from one tap of a filter row to the next, and from one filter row to the next.</summary>
    public (int Tap, int FilterRow) RowSteps => Input.IsStem ? (Shape.C, SegmentGroups * GroupRows) : (Blocks.Size, Shape.R * Blocks.Size);

    /// <summary>The row of the sums that belongs to a channel's first tap.</summary>
    public int FirstRow(int c) => Input.IsStem ? c : c / Blocks.Size * Shape.R * Shape.R * Blocks.Size + c % Blocks.Size;
}

/// <summary>Sums a share's pixels into one item's tiles.</summary>
internal readonly unsafe struct WeightTilesJob(Tile.GroupedTiles tiles, WeightGradientPlan plan, float* dy, nint* rows, float* sums) : IJob
{
    private const int Columns = 2 * Blocks.Size;

    public void Run(int index, Worker worker)
    {
        int run = index % plan.Runs, share = index / plan.Runs, n = plan.Shape.Input.N, tileCount = plan.Groups / Tile.Groups;
        int first = (int)((long)share * n / plan.Shares), end = (int)((share + 1L) * n / plan.Shares);
        var item = new Range(share, run * tileCount / plan.Runs, (run + 1) * tileCount / plan.Runs);
        int block = plan.BlockOf(item.First * Tile.Groups), blocks = plan.BlockOf(item.End * Tile.Groups - 1) - block + 1;
        for (int i = first; i < end; i += plan.Images)
        {
            int count = Math.Min(plan.Images, end - i);
            float* a = plan.Input.Images(i, count, block, blocks, worker, slot: 0) - block * plan.Input.BlockFloats;
            var segment = (Tile.Segment*)worker.Scratch(1, 4L * plan.Images * plan.Shape.P);
            FillSegments(segment, count, plan.Input.Distance(blocks));
            Images(item, a, dy + i * plan.DyFloats, segment, count * plan.Shape.P, i > first);
        }
    }

    /// <summary>A share and its item's tiles.</summary>
    private readonly record struct Range(int Share, int First, int End);

    /// <summary>A few images through all tiles, a pair of filter blocks after the other.</summary>
    private void Images(in Range item, float* a, float* b, Tile.Segment* segment, int segments, bool continues)
    {
        nint map = (nint)plan.Shape.P * plan.Shape.Q * Blocks.Size;
        for (int pair = 0; pair < plan.Pairs; pair++)
            for (int row = 0; row < segments; row += plan.PartRows)
                Part(item, pair, a, b + 2 * pair * map, segment + row, Math.Min(plan.PartRows, segments - row), continues || row > 0);
    }

    private void Part(in Range item, int pair, float* a, float* b, Tile.Segment* segment, int segments, bool continues)
    {
        var s = plan.Shape;
        ref readonly var tile = ref tiles.Pick(plan.GroupRows, Blocks.Count(s.K) - 2 * pair);
        float* c = sums + item.Share * plan.ShareFloats + pair * plan.PairFloats;
        nint* dense = stackalloc nint[] { 0, tile.GroupRows * Columns, 2 * tile.GroupRows * Columns };
        for (int t = item.First; t < item.End; t++)
            tile.Run(a, rows + t * Tile.Groups, 1, plan.Input.PixelStep, segment, segments, s.Q, b, Blocks.Size, (nint)s.P * s.Q * Blocks.Size,
                c + (long)t * tile.Rows * Columns, dense, Columns, Blocks.Size, continues);
    }

    /// <summary>One segment a row of output pixels.</summary>
    private void FillSegments(Tile.Segment* segment, int images, long distance)
    {
        var s = plan.Shape;
        for (int i = 0; i < images; i++)
            for (int y = 0; y < s.P; y++)
                *segment++ = new((nint)(i * distance) + y * plan.Input.RowStep, (nint)(i * plan.DyFloats) + (nint)y * s.Q * Blocks.Size);
    }
}

/// <summary>Adds the shares of one block of filters and brings the sums to the weight's own order.</summary>
internal readonly unsafe struct UnpackWeightsJob(WeightGradientPlan plan, float* sums, bool accumulate, float* dw) : IJob
{
    private const int Columns = 2 * Blocks.Size;

    public void Run(int index, Worker worker)
    {
        var s = plan.Shape;
        float* from = sums + index / 2 * plan.PairFloats + index % 2 * Blocks.Size;
        AddShares(from);
        int channels = Math.Max(1, 256 / (s.R * s.R)); // whose sums stay in L1 while one filter after the other reads them
        for (int c = 0; c < s.C; c += channels)
            for (int k = index * Blocks.Size; k < Math.Min(s.K, (index + 1) * Blocks.Size); k++)
                Filter(from + k % Blocks.Size, k, c, Math.Min(s.C, c + channels));
    }

    private void AddShares(float* from)
    {
        for (int share = 1; share < plan.Shares; share++)
            for (long row = 0; row < plan.PairFloats; row += Columns)
                (Vector512.Load(from + row) + Vector512.Load(from + share * plan.ShareFloats + row)).Store(from + row);
    }

    private void Filter(float* from, int k, int firstChannel, int endChannel)
    {
        int r = plan.Shape.R, tapStep = plan.RowSteps.Tap * Columns, rowStep = plan.RowSteps.FilterRow * Columns;
        float* to = dw + ((long)k * plan.Shape.C + firstChannel) * r * r;
        for (int c = firstChannel; c < endChannel; c++)
        {
            float* row = from + (long)plan.FirstRow(c) * Columns;
            for (int i = 0; i < r; i++, row += rowStep)
                for (int j = 0; j < r; j++, to++)
                    *to = row[j * tapStep] + (accumulate ? *to : 0);
        }
    }
}
