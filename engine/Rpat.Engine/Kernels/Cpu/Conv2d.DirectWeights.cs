namespace Rpat.Engine.Kernels.Cpu;

/// <summary>
/// Direct weight gradient: rows are (channel block, tap, channel), columns are filters, and the reduction runs over pixels. An item owns a
/// few channel blocks and pairs of filter blocks for one split of the images, and packs those channels itself; the output gradient is read
/// in place. Splits depend on the shape alone and are added in order, so that the result does not depend on the number of threads.
/// </summary>
internal unsafe partial class CpuKernels
{
    private void DirectWeightGradient(in ConvShape s, in Operand x, float* dy, bool accumulate, float* dw)
    {
        var plan = new WeightGradientPlan(s, new Affine(x), set, _pool.Threads);
        float* sums = plan.Splits == 1 ? null : _pool.Caller.Scratch(6, plan.Splits * plan.SplitFloats);
        nint* rows = (nint*)_pool.Caller.Scratch(7, 2L * (plan.Groups + plan.FilterFloats));
        plan.FillRows(rows);
        plan.FillOrder(rows + plan.Groups);
        var store = new WeightStore(plan, rows + plan.Groups, accumulate, dw);
        _pool.Run(new WeightTilesJob(_grouped, plan, dy, rows, sums, store), plan.Items);
        if (plan.Splits > 1) _pool.Run(new AddWeightSplitsJob(plan, sums, store), plan.Blocks * plan.Pairs);
    }
}

/// <summary>How the sums of a weight gradient are divided into tiles, items and splits.</summary>
internal readonly unsafe struct WeightGradientPlan
{
    private const int ImageBytes = 128 << 10; // of packed images, which stay in L2 for all pairs of filter blocks
    private const int PartPixels = 1024; // of a K block, whose operands stay in L2 for all tiles of an item
    private const int HalvesPixels = 64; // of one in narrower vectors, whose tiles are two halves that read the same operands: in L1
    private const int ItemTaps = 9; // of an item's channel blocks: twelve tiles, whose sums stay in L1
    private const int LeastItems = 8;
    private const int LeastPixels = 512; // per split: below this, adding the splits costs more than it saves
    private const int ThreadItems = 2;

    public WeightGradientPlan(in ConvShape s, in Affine x, InstructionSet set, int threads)
    {
        Shape = s;
        Input = new PackedInput(s, x, mayLie: s.Stride == 1);
        (RowsPerImage, RowPixels) = Input.IsFlat ? (1, s.P * s.Q) : (s.P, s.Q);
        PartRows = Math.Max(1, (Input.IsStem || set == InstructionSet.Avx512 ? PartPixels : HalvesPixels) / RowPixels);
        GroupRows = Input.IsStem && s.R % 3 == 0 ? 3 : 4;
        Blocks = Input.InputBlocks;
        Pairs = (Cpu.Blocks.Count(s.K) + 1) / 2;
        int taps = s.R * s.R, together = Input.IsStem ? 1 : Math.Max(1, ItemTaps / taps);
        Runs = (Blocks + together - 1) / together;
        Splits = (int)Math.Clamp((LeastItems + Runs - 1) / Runs, 1,
            Math.Max(1, Math.Min(s.Input.N, (long)s.Input.N * s.P * s.Q / LeastPixels)));
        PairRuns = Math.Clamp((ThreadItems * threads + Runs * Splits - 1) / (Runs * Splits), 1, Pairs);
    }

    public ConvShape Shape { get; }
    public PackedInput Input { get; }

    /// <summary>Rows of a tile's group: four channels, or three (s, channel) of an image's filter row.</summary>
    public int GroupRows { get; }

    /// <summary>Channel blocks; an image of few channels counts as one.</summary>
    public int Blocks { get; }

    /// <summary>Pairs of filter blocks.</summary>
    public int Pairs { get; }

    /// <summary>Number of splits of the images, which are summed separately.</summary>
    public int Splits { get; }

    /// <summary>Groups of rows of all channel blocks.</summary>
    public int Groups => Blocks * BlockGroups;

    /// <summary>Groups of rows of a channel block.</summary>
    public int BlockGroups => Shape.R * SegmentGroups;

    /// <summary>Floats of an image's output gradient.</summary>
    public long DyFloats => (long)Shape.P * Shape.Q * Cpu.Blocks.Count(Shape.K) * Cpu.Blocks.Size;

    public int Items => Splits * PairRuns * Runs;

    /// <summary>Floats of the sums of a channel block and a pair, <c>[group][row][2·16]</c>.</summary>
    public long BlockFloats => (long)BlockGroups * GroupRows * WeightStore.Columns;

    /// <summary>Floats of a split's sums, <c>[pair][channel block]</c>.</summary>
    public long SplitFloats => Pairs * Blocks * BlockFloats;

    /// <summary>Floats of a filter in one channel block of the weight.</summary>
    public int FilterFloats => Input.PixelFloats * Shape.R * Shape.R;

    /// <summary>
    /// Number of images that an item takes through all its tiles at a time: its images divided evenly into groups that fit.
    /// </summary>
    public int Images(int blocks, int count)
    {
        int fit = (int)Math.Max(1, ImageBytes / sizeof(float) / Input.Distance(blocks)), times = (count + fit - 1) / fit;
        return (count + times - 1) / times;
    }

    /// <summary>Rows of an image's output pixels: one if the rows that a tap reads are contiguous.</summary>
    public int RowsPerImage { get; }

    /// <summary>Output pixels of a row.</summary>
    public int RowPixels { get; }

    /// <summary>Rows of output pixels in a K block: an item takes them through all tiles of a pair before the next ones.</summary>
    public int PartRows { get; }

    private int Runs { get; }

    private int PairRuns { get; }

    private int SegmentGroups => (Input.SegmentLength + GroupRows - 1) / GroupRows;

    /// <summary>The item's ranges of images, channel blocks and pairs; ends are exclusive.</summary>
    public WeightItem Item(int index)
    {
        int run = index % Runs, pairs = index / Runs % PairRuns, share = index / Runs / PairRuns;
        return new(share, Cut(share, Splits, Shape.Input.N), Cut(run, Runs, Blocks), Cut(pairs, PairRuns, Pairs));
    }

    /// <summary>The offset that each group's first row reads from.</summary>
    public void FillRows(nint* rows)
    {
        for (int g = 0; g < Groups; g++) rows[g] = Input.SegmentOffset(g / SegmentGroups) + g % SegmentGroups * GroupRows;
    }

    /// <summary>Offsets of a filter's values in the sums of a channel block, in the weight's order (channel, tap).</summary>
    public void FillOrder(nint* order)
    {
        int r = Shape.R;
        for (int i = 0; i < FilterFloats; i++)
        {
            var (c, y, x) = (i / (r * r), i / r % r, i % r);
            order[i] = (y * SegmentGroups * GroupRows + x * Input.PixelFloats + c) * WeightStore.Columns;
        }
    }

    private static (int First, int End) Cut(int index, int parts, int count) =>
        ((int)((long)index * count / parts), (int)((index + 1L) * count / parts));
}

/// <summary>The images, channel blocks and pairs of filter blocks that an item sums.</summary>
internal readonly record struct WeightItem(int Split, (int First, int End) Images, (int First, int End) Blocks, (int First, int End) Pairs);

/// <summary>Sums a split's pixels into one item's tiles.</summary>
internal readonly unsafe struct WeightTilesJob(Tile.GroupedTiles tiles, WeightGradientPlan plan, float* dy, nint* read, float* sums,
    WeightStore store) : IJob
{
    public void Run(int index, Worker worker)
    {
        var item = plan.Item(index);
        int blocks = item.Blocks.End - item.Blocks.First, most = plan.Images(blocks, item.Images.End - item.Images.First);
        var target = Sums(item, blocks, worker);
        for (int i = item.Images.First; i < item.Images.End; i += most)
        {
            int count = Math.Min(most, item.Images.End - i), next = Math.Min(most, item.Images.End - i - count);
            var images = new ImageRows(plan, i, count, next, item.Blocks, worker);
            for (int pair = item.Pairs.First; pair < item.Pairs.End; pair++)
            {
                Pair(item, images, pair, target.At(pair, item.Pairs.First), i > item.Images.First);
                if (next == 0 && plan.Splits == 1) Store(item, pair, target.At(pair, item.Pairs.First));
            }
        }
    }

    /// <summary>Sums of pairs, in the worker's own memory unless there are other splits to add.</summary>
    private readonly record struct PairSums(nint First, long Step)
    {
        public float* At(int pair, int first) => (float*)First + (pair - first) * Step;
    }

    private PairSums Sums(in WeightItem item, int blocks, Worker worker)
    {
        long step = blocks * plan.BlockFloats;
        if (plan.Splits == 1) return new((nint)worker.Scratch(2, (item.Pairs.End - item.Pairs.First) * step), step);
        step = plan.Blocks * plan.BlockFloats;
        return new((nint)(sums + item.Split * plan.SplitFloats + item.Pairs.First * step + item.Blocks.First * plan.BlockFloats), step);
    }

    /// <summary>A few images through all tiles of a pair of filter blocks, one K block of rows after another.</summary>
    private void Pair(in WeightItem item, in ImageRows images, int pair, float* c, bool continues)
    {
        nint map = (nint)plan.Shape.P * plan.Shape.Q * Blocks.Size;
        float* b = dy + 2 * pair * map, next = dy + 2 * item.Pairs.First * map + images.Images * plan.DyFloats;
        for (int row = 0; row < images.Count; row += plan.PartRows)
        {
            int count = Math.Min(plan.PartRows, images.Count - row);
            float* ahead = row + count < images.Count ? b : pair + 1 < item.Pairs.End ? b + 2 * map : next; // the segments start over
            Part(item, images, new Rows(row, count, pair), b, ahead, c, continues || row > 0);
            images.FetchNext(plan, item, pair, row + count);
        }
    }

    /// <summary>Rows of output pixels, and the pair of filter blocks.</summary>
    private readonly record struct Rows(int First, int Count, int Pair);

    private void Part(in WeightItem item, in ImageRows images, in Rows rows, float* b, float* ahead, float* c, bool continues)
    {
        var s = plan.Shape;
        nint map = (nint)s.P * s.Q * Blocks.Size, group = plan.GroupRows * WeightStore.Columns;
        int first = item.Blocks.First * plan.BlockGroups, groups = item.Blocks.End * plan.BlockGroups - first,
            left = Blocks.Count(s.K) - 2 * rows.Pair;
        var fetch = new KBlockPrefetch(ahead, map, Math.Min(2, left), plan.RowPixels, (groups + Tile.Strips - 1) / Tile.Strips);
        nint* dense = stackalloc nint[] { 0, group, 2 * group };
        for (int g = 0; g < groups; g += Tile.Strips)
        {
            ref readonly var tile = ref tiles.Pick(plan.GroupRows, left, groups - g);
            tile.Run(images.A, read + first + g, 1, plan.Input.PixelStep, images.Segments + rows.First, rows.Count, plan.RowPixels, b,
                Blocks.Size, map,
                c + g * group, dense, WeightStore.Columns, Blocks.Size, continues ? Tile.StoreMode.Add : Tile.StoreMode.Store,
                fetch.From(g / Tile.Strips), fetch.Step, (nint*)(images.Segments + rows.First + rows.Count) + 1);
        }
    }

    private void Store(in WeightItem item, int pair, float* c)
    {
        for (int block = item.Blocks.First; block < item.Blocks.End; block++, c += plan.BlockFloats) store.Block(c, block, pair);
    }
}

/// <summary>A few images as an item's tiles read them: one segment per row of output pixels.</summary>
internal readonly unsafe struct ImageRows
{
    private readonly int _next; // images that come after these
    private readonly int _first;

    public ImageRows(in WeightGradientPlan plan, int first, int count, int next, (int First, int End) blocks, Worker worker)
    {
        var (input, rows) = (plan.Input, plan.RowsPerImage);
        long distance = input.Distance(blocks.End - blocks.First);
        A = input.Images(first, count, blocks.First, blocks.End - blocks.First, worker, slot: 0) - blocks.First * input.BlockFloats;
        (Images, Count) = (count, count * rows);
        Segments = (Tile.KSegment*)worker.Scratch(1, 4L * (Count + plan.PartRows));
        for (int row = 0; row < Count; row++)
        {
            nint a = (nint)(row / rows * distance) + row % rows * input.RowStep, dy = (nint)((first + row / rows) * plan.DyFloats);
            Segments[row] = new(a, dy + (nint)(row % rows) * plan.RowPixels * Blocks.Size);
        }
        for (int row = 0; row < plan.PartRows; row++) Segments[Count + row] = Segments[row % Count]; // what the next pair reads first
        (_first, _next) = (first + count, next);
    }

    /// <summary>The base address of the tiles' rows.</summary>
    public float* A { get; }

    /// <summary>One segment per row, followed by those that the next pair starts with.</summary>
    public Tile.KSegment* Segments { get; }

    /// <summary>Images.</summary>
    public int Images { get; }

    /// <summary>Rows of output pixels.</summary>
    public int Count { get; }

    /// <summary>Prefetches into L2 the same fraction of the next images as the item has processed of these.</summary>
    public void FetchNext(in WeightGradientPlan plan, in WeightItem item, int pair, int rows)
    {
        if (_next == 0) return;
        int blocks = item.Blocks.End - item.Blocks.First, pairs = item.Pairs.End - item.Pairs.First;
        long all = (long)pairs * Count, fetched = (long)_next * blocks * plan.Input.MapRows;
        long done = (long)(pair - item.Pairs.First) * Count + rows, before = Math.Max(0, done - plan.PartRows);
        plan.Input.Fetch(_first, item.Blocks.First, blocks, (int)(fetched * before / all), (int)(fetched * done / all));
    }
}

/// <summary>
/// What each tile of a K block prefetches of the next K block's output gradient: the first half of the tiles a slice of each row in the
/// pair's first block, the other half a slice in its second.
/// </summary>
internal readonly unsafe struct KBlockPrefetch(float* dy, nint map, int blocks, int width, int tiles)
{
    private readonly int _ofBlock = Math.Max(1, tiles / blocks);

    /// <summary>Bytes per pixel of the row.</summary>
    public nint Step => (Blocks.Size * sizeof(float) + _ofBlock - 1) / _ofBlock;

    /// <summary>Where a tile starts to prefetch, for the first row.</summary>
    public byte* From(int tile) => (byte*)(dy + Math.Min(tile / _ofBlock, blocks - 1) * map) + tile % _ofBlock * width * Step;
}
