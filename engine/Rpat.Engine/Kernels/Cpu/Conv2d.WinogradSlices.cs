namespace Rpat.Engine.Kernels.Cpu;

/// <summary>
/// How the weight gradient of many channels is divided: all workers transform a chunk of tiles into memory that the last-level cache holds,
/// then multiply. If all sums fit in that cache too, a worker takes whole positions, which reads the operands once; the transform back
/// follows at the end. Otherwise it takes a slice of channels and filters through all 36 products and the transform back: the slice's sums
/// stay in L2, and only the small gradient goes to memory. The division depends on the shape alone.
/// </summary>
internal readonly struct WinogradSlices
{
    private readonly int _most; // blocks of channels of a slice: with four and 64 filters 590 KB of sums
    private const long ChunkFloats = 5 << 20;
    private const long SumsOfPositions = 4 << 20; // floats

    public WinogradSlices(in WinogradShape shape, int l2)
    {
        (Shape, _most) = (shape, l2 < Cache.Large ? 2 : 4);
        long perTile = WinogradTransform.Positions * (shape.Inputs + shape.Outputs);
        Chunks = (int)Math.Max(1, (shape.TileCount * perTile + ChunkFloats / 2) / ChunkFloats);
        Tiles = (shape.TileCount + Chunks - 1) / Chunks;
        VStep = (nint)Tiles * shape.Inputs + Blocks.Size;
        DStep = (nint)Tiles * shape.Outputs + Blocks.Size;
        ByPosition = WinogradTransform.Positions * WinogradShape.FilterStep(shape.Inputs, shape.Outputs) <= SumsOfPositions;
    }

    /// <summary>Whether a worker takes whole positions instead of slices.</summary>
    public bool ByPosition { get; }

    /// <summary>Floats of all sums that must outlast a job: none if a slice is finished in one job.</summary>
    public long KeptFloats => ByPosition ? WinogradTransform.Positions * SumStep(true) : Chunks > 1 ? (long)Count * SliceFloats : 0;

    /// <summary>Floats of one slice's sums.</summary>
    public int SliceFloats => WinogradTransform.Positions * (_most * 4 * Blocks.Size + 1) * Blocks.Size;

    /// <summary>Floats between positions of sums, of all channels and filters or of one slice; an odd number of cache lines.</summary>
    public nint SumStep(bool all) =>
        all ? WinogradShape.FilterStep(Shape.Inputs, Shape.Outputs) : SliceFloats / WinogradTransform.Positions;

    public WinogradShape Shape { get; }
    public int Chunks { get; }

    /// <summary>Tiles of a chunk; the last may have fewer.</summary>
    public int Tiles { get; }

    /// <summary>Floats between positions of V <c>[position][channel block][tile][16]</c>: an odd number of cache lines.</summary>
    public nint VStep { get; }

    /// <summary>Floats between positions of D <c>[position][panel][tile][columns]</c>, also an odd number of cache lines.</summary>
    public nint DStep { get; }

    /// <summary>Slices.</summary>
    public int Count => Panel.Count(Shape.OutputBlocks) * ChannelSlices;

    private int ChannelSlices => (Shape.InputBlocks + _most - 1) / _most;

    /// <summary>A slice's panel of filters, first channel block and number of channel blocks; slices of a panel are consecutive.</summary>
    public (Panel Panel, int Block, int BlockCount) At(int index)
    {
        int block = index % ChannelSlices * _most;
        return (Panel.At(index / ChannelSlices, Shape.OutputBlocks), block, Math.Min(_most, Shape.InputBlocks - block));
    }
}

/// <summary>V and D of some tiles of a chunk: an even item computes V of some tiles, the next item D of the same tiles.</summary>
internal readonly unsafe struct WinogradOperandsJob(WinogradSlices slices, Affine x, float* dy, int first, int count, float* v, float* d)
    : IJob
{
    private const int Tiles = 16;

    public static int Items(int count) => (count + Tiles - 1) / Tiles * 2;

    public void Run(int index, Worker worker)
    {
        float* patch = worker.Scratch(2, WinogradTransform.Scratch);
        int at = index / 2 * Tiles, end = Math.Min(count, at + Tiles);
        var shape = slices.Shape;
        if (index % 2 == 0) WinogradPatch.Transform(x, shape, (0, shape.InputBlocks), first + at, end - at, v + at * Blocks.Size,
            slices.VStep, Blocks.Size, slices.Tiles * Blocks.Size, patch);
        else Adjoint(at, end, patch);
    }

    private void Adjoint(int begin, int end, float* patch)
    {
        var shape = slices.Shape;
        for (int block = 0; block < shape.OutputBlocks; block++)
        {
            var panel = Columns.PanelOf(block, shape.OutputBlocks);
            float* to = d + panel.Offset(slices.Tiles) + (block - panel.Block) * Blocks.Size;
            for (int i = begin; i < end; i++)
            {
                WinogradPatch.LoadOutputs(dy, block, shape.OutputBlocks, shape, shape.Place(first + i), patch);
                WinogradTransform.OutputAdjoint(patch, patch + 16 * Blocks.Size, to + (nint)i * panel.Columns, slices.DStep);
            }
        }
    }
}

/// <summary>The 36 products over a chunk, position by position or slice by slice.</summary>
internal readonly unsafe struct WinogradProductJob(Tile.Sums tiles, WinogradSlices slices, float* v, float* d, float* sums,
    WinogradChunk chunk, WinogradGradient gradient) : IJob
{
    private const int TilesAtOnce = 64; // of a panel of D that stay in L1

    public void Run(int index, Worker worker)
    {
        if (slices.ByPosition) Position(index);
        else Slice(index, worker);
    }

    /// <summary>All channels and filters of one position: sums <c>[position][panel][channel][column]</c>.</summary>
    private void Position(int index)
    {
        var shape = slices.Shape;
        for (int block = 0; block < shape.OutputBlocks;)
        {
            var panel = Columns.PanelOf(block, shape.OutputBlocks);
            Multiply(v + index * slices.VStep, d + index * slices.DStep + panel.Offset(slices.Tiles), shape.InputBlocks, panel,
                sums + index * slices.SumStep(true) + panel.Offset(shape.Inputs));
            block += panel.Blocks;
        }
    }

    /// <summary>All positions of one slice: sums <c>[position][channel][column]</c>; after the last chunk its gradient.</summary>
    private void Slice(int index, Worker worker)
    {
        var (panel, block, blocks) = slices.At(index);
        nint step = slices.SumStep(false);
        float* to = sums == null ? worker.Scratch(0, slices.SliceFloats) : sums + (nint)index * slices.SliceFloats;
        float* a = v + (nint)block * slices.Tiles * Blocks.Size, b = d + panel.Offset(slices.Tiles);
        for (int p = 0; p < WinogradTransform.Positions; p++, a += slices.VStep, b += slices.DStep)
            Multiply(a, b, blocks, panel, to + p * step);
        if (chunk.Last) gradient.Store(to, step, block, blocks, panel, worker.Scratch(2, 64 * Blocks.Size));
    }

    /// <summary>sums[channel, column] (+)= Σ over tiles of V·D.</summary>
    private void Multiply(float* a, float* b, int blocks, in Panel panel, float* to)
    {
        var sum = tiles.For(panel);
        for (int i = 0; i < chunk.Tiles; i += TilesAtOnce)
            for (int block = 0; block < blocks; block++)
                sum(a + ((nint)block * slices.Tiles + i) * Blocks.Size, Blocks.Size, Math.Min(TilesAtOnce, chunk.Tiles - i),
                    b + (nint)i * panel.Columns, panel.Columns, to + block * Blocks.Size * panel.Columns, panel.Columns,
                    i > 0 || !chunk.First);
    }
}

/// <summary>Transforms one slice's part of the positions' sums back.</summary>
internal readonly unsafe struct WinogradStoreJob(WinogradSlices slices, float* sums, WinogradGradient gradient) : IJob
{
    public void Run(int index, Worker worker)
    {
        var (panel, block, blocks) = slices.At(index);
        float* from = sums + panel.Offset(slices.Shape.Inputs) + (nint)block * Blocks.Size * panel.Columns;
        gradient.Store(from, slices.SumStep(true), block, blocks, panel, worker.Scratch(2, 64 * Blocks.Size));
    }
}

/// <summary>A chunk's size and position in the reduction.</summary>
internal readonly record struct WinogradChunk(int Tiles, bool First, bool Last);

/// <summary>
/// Destination of a slice's sums: transformed back to 3×3 and stored in, or added to, the weight's gradient <c>[K, C, 3, 3]</c>.
/// </summary>
internal readonly unsafe struct WinogradGradient(float* dw, int c, int k, bool accumulate)
{
    /// <summary>C.</summary>
    public int Channels => c;

    public void Store(float* sums, nint step, int block, int blocks, in Panel panel, float* scratch)
    {
        int first = block * Blocks.Size, end = Math.Min(c, first + blocks * Blocks.Size);
        for (int i = first; i < end; i++)
            for (int j = 0; j < panel.Blocks; j++)
                Store(sums + (i - first) * panel.Columns + j * Blocks.Size, step, i, (panel.Block + j) * Blocks.Size, scratch);
    }

    /// <summary>One channel and sixteen filters, whose sums of a position are <paramref name="step"/> from the next.</summary>
    public void Store(float* sums, nint step, int channel, int firstFilter, float* scratch)
    {
        float* g = scratch + 18 * Blocks.Size;
        WinogradTransform.FilterAdjoint(sums, step, scratch, g);
        nint filter = (nint)c * 9;
        int lane = 0, lanes = Math.Min(Blocks.Size, k - firstFilter);
        float* to = dw + firstFilter * filter + channel * 9;
        for (; Transposed.IsSupported && lane + Transposed.Side <= lanes; lane += Transposed.Side, to += Transposed.Side * filter)
        {
            Taps(g + lane, to, filter);
            Taps(g + 4 * Blocks.Size + lane, to + 4, filter);
            for (int i = 0; i < Transposed.Side; i++) Tap(g[8 * Blocks.Size + lane + i], to + i * filter + 8);
        }
        for (; lane < lanes; lane++, to += filter)
            for (int tap = 0; tap < 9; tap++) Tap(g[tap * Blocks.Size + lane], to + tap);
    }

    /// <summary>Four taps of four filters.</summary>
    private void Taps(float* g, float* to, nint filter) =>
        Transposed.Square(g, g + Blocks.Size, g + 2 * Blocks.Size, g + 3 * Blocks.Size, to, filter, accumulate);

    private void Tap(float value, float* to) => *to = value + (accumulate ? *to : 0);
}
