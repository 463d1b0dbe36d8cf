namespace Rpat.Engine.Kernels.Cpu;

/// <summary>
/// Winograd for many channels, whose transformed filters are too large for the caches: all workers transform a chunk of tiles, then each
/// takes the filters of a few outputs, transforms them into its L2 and multiplies, then all transform back. V and M pass through the
/// last-level cache, the transformed filters through no more than L2.
/// </summary>
internal sealed unsafe partial class CpuKernels
{
    private void WinogradByColumns(in WinogradShape shape, in Affine x, in WinogradFilters filters, in Epilogue epilogue)
    {
        var chunks = new WinogradChunks(shape, _pool.Threads, l2);
        float* v = _pool.Caller.Scratch(4, chunks.VFloats), m = _pool.Caller.Scratch(5, WinogradTransform.Positions * chunks.MStep);
        for (int first = 0; first < shape.TileCount; first += chunks.Tiles)
        {
            int count = Math.Min(chunks.Tiles, shape.TileCount - first), runs = WinogradChunks.Runs(count);
            _pool.Run(new WinogradInputsJob(chunks, x, first, count, v), runs * chunks.Pieces);
            _pool.Run(new WinogradColumnsJob(_products, chunks, filters, count, v, m), chunks.Items);
            _pool.Run(new WinogradOutputsJob(chunks, new(shape, epilogue, m, chunks.MStep), first, count), runs * chunks.Stores);
        }
    }
}

/// <summary>How a convolution of many channels is divided; the results do not depend on it.</summary>
internal readonly struct WinogradChunks
{
    private const long MostFloats = (12 << 20) / sizeof(float); // of V and M
    private const int RunTiles = 16; // of an item of a transform
    private const int LeastTiles = 48; // of an item of products, to pay for the transform of its filters
    private const int StoreBlocks = 8; // of an item of the transform back
    private const int ThreadItems = 3;
    private const int LargeL2 = 1 << 20; // where a piece's filters of two blocks fit

    public WinogradChunks(in WinogradShape shape, int threads, int l2)
    {
        Shape = shape;
        int wished = (int)Math.Max(LeastTiles, MostFloats / (WinogradTransform.Positions * (shape.Inputs + shape.Outputs)));
        int chunks = (shape.TileCount + wished - 1) / wished;
        Tiles = ((shape.TileCount + chunks - 1) / chunks + 3) / 4 * 4;
        ColumnBlocks = l2 >= LargeL2 ? 2 : 1;
        Parts = Math.Clamp((ThreadItems * threads + ColumnItems - 1) / ColumnItems, 1, Math.Max(1, Tiles / LeastTiles));
    }

    public WinogradShape Shape { get; }

    /// <summary>Tiles of a chunk; the last may have fewer.</summary>
    public int Tiles { get; }

    /// <summary>Blocks of outputs whose filters an item transforms.</summary>
    public int ColumnBlocks { get; }

    /// <summary>Parts of a chunk's tiles, so that there are enough items for all threads.</summary>
    public int Parts { get; }

    /// <summary>Items of products.</summary>
    public int Items => ColumnItems * Parts;

    private int ColumnItems => (Shape.OutputBlocks + ColumnBlocks - 1) / ColumnBlocks;

    /// <summary>Pieces of the inputs, which are summed one after another.</summary>
    public int Pieces => (Shape.Inputs + Shape.InputsPerSum - 1) / Shape.InputsPerSum;

    /// <summary>Items of the transform back of a run.</summary>
    public int Stores => (Shape.OutputBlocks + StoreBlocks - 1) / StoreBlocks;

    /// <summary>Floats between positions of V <c>[piece][position][tile][input]</c>: an odd number of cache lines.</summary>
    public nint VStep => (nint)Tiles * Shape.InputsPerSum + Blocks.Size;

    /// <summary>Floats between positions of M <c>[position][tile][output]</c>, also an odd number of cache lines.</summary>
    public nint MStep => (nint)Tiles * Shape.Outputs + Blocks.Size;

    /// <summary>Floats of V, including those that are prefetched past its end.</summary>
    public long VFloats => (Pieces * WinogradTransform.Positions + 1L) * VStep;

    /// <summary>Floats of a piece of V.</summary>
    public nint PieceStep => WinogradTransform.Positions * VStep;

    /// <summary>Blocks of inputs of a piece.</summary>
    public (int First, int End) PieceBlocks(int piece)
    {
        int blocks = Shape.InputsPerSum / Blocks.Size;
        return (piece * blocks, Math.Min(Shape.InputBlocks, (piece + 1) * blocks));
    }

    /// <summary>Outputs of an item of the transform back.</summary>
    public (int First, int End) StoredBlocks(int item) => (item * StoreBlocks, Math.Min(Shape.OutputBlocks, (item + 1) * StoreBlocks));

    /// <summary>Runs of tiles of a chunk, items of a transform.</summary>
    public static int Runs(int count) => (count + RunTiles - 1) / RunTiles;

    /// <summary>The tiles of a run.</summary>
    public static (int First, int End) Run(int index, int count) => (index * RunTiles, Math.Min(count, (index + 1) * RunTiles));
}

/// <summary>V of a piece of the inputs and a run of tiles.</summary>
internal readonly unsafe struct WinogradInputsJob(WinogradChunks chunks, Affine x, int first, int count, float* v) : IJob
{
    public void Run(int index, Worker worker)
    {
        var (from, end) = WinogradChunks.Run(index / chunks.Pieces, count);
        int piece = index % chunks.Pieces, length = chunks.Shape.InputsPerSum;
        WinogradPatch.Transform(x, chunks.Shape, chunks.PieceBlocks(piece), first + from, end - from,
            v + piece * chunks.PieceStep + (nint)from * length, chunks.VStep, length, Blocks.Size,
            worker.Scratch(2, WinogradTransform.Positions * Blocks.Size));
    }
}

/// <summary>M of a few blocks of outputs and a part of a chunk's tiles, piece by piece of the inputs.</summary>
internal readonly unsafe struct WinogradColumnsJob(Tile.Product[] tiles, WinogradChunks chunks, WinogradFilters filters, int count,
    float* v, float* m) : IJob
{
    private readonly WinogradShape _shape = chunks.Shape;

    public void Run(int index, Worker worker)
    {
        int block = index / chunks.Parts * chunks.ColumnBlocks, blocks = Math.Min(chunks.ColumnBlocks, _shape.OutputBlocks - block);
        int part = index % chunks.Parts, rows = (chunks.Tiles / chunks.Parts + 3) / 4 * 4;
        (int First, int End) range = (part * rows, part == chunks.Parts - 1 ? count : Math.Min(count, (part + 1) * rows));
        float* u = worker.Scratch(0, WinogradTransform.Positions * WinogradShape.FilterStep(_shape.InputsPerSum, blocks * Blocks.Size));
        float* scratch = worker.Scratch(2, WinogradFilters.Scratch);
        for (int piece = 0; piece < chunks.Pieces && range.First < range.End; piece++)
        {
            var (first, end) = chunks.PieceBlocks(piece);
            int columns = blocks * Blocks.Size;
            nint step = WinogradShape.FilterStep(_shape.InputsPerSum, columns);
            for (int j = 0; j < blocks; j++)
                filters.Transform((first * Blocks.Size, end * Blocks.Size), block + j, u + j * Blocks.Size, columns, step, scratch);
            for (int p = 0; p < WinogradTransform.Positions; p++)
                Position(v + piece * chunks.PieceStep + p * chunks.VStep, (end - first) * Blocks.Size, u + p * step, blocks,
                    m + p * chunks.MStep + block * Blocks.Size, range, piece > 0);
        }
    }

    /// <summary>One position's products, which prefetch what the next position reads.</summary>
    private void Position(float* a, int length, float* u, int blocks, float* c, (int First, int End) range, bool accumulate)
    {
        nint row = _shape.InputsPerSum;
        for (int i = range.First; i < range.End;)
        {
            ref readonly var tile = ref Tile.Pick(tiles, blocks, range.End - i);
            tile.Run(a + i * row, row, length, u, blocks * Blocks.Size, c + (nint)i * _shape.Outputs, _shape.Outputs, accumulate,
                a + i * row + chunks.VStep);
            i += tile.Rows;
        }
    }
}

/// <summary>Outputs of some blocks and a run of tiles.</summary>
internal readonly unsafe struct WinogradOutputsJob(WinogradChunks chunks, WinogradStore store, int first, int count) : IJob
{
    public void Run(int index, Worker worker)
    {
        var (from, end) = WinogradChunks.Run(index / chunks.Stores, count);
        store.Tiles(chunks.StoredBlocks(index % chunks.Stores), first, from, end, worker.Scratch(2, 40 * Blocks.Size));
    }
}
