namespace Rpat.Engine.Kernels.Cpu;

/// <summary>
/// Winograd for many channels, whose transformed filters are too large for the caches: all workers transform a chunk of tiles, then each
/// takes the filters of a few outputs, transforms them into its L2 and multiplies, then all transform back. V and M pass through the
/// last-level cache, the transformed filters through no more than L2.
/// </summary>
internal unsafe partial class CpuKernels
{
    private void WinogradByColumns(in WinogradShape shape, in Affine x, in WinogradFilters filters, in Epilogue epilogue)
    {
        var chunks = new WinogradChunks(shape, _pool.Threads, l2);
        float* v = _pool.Caller.Scratch(4, chunks.VFloats), m = _pool.Caller.Scratch(5, chunks.Groups * chunks.GroupStep);
        for (int first = 0; first < shape.TileCount; first += chunks.Tiles)
        {
            int count = Math.Min(chunks.Tiles, shape.TileCount - first), runs = WinogradChunks.Runs(count);
            _pool.Run(new WinogradInputsJob(chunks, x, first, count, v), runs * chunks.Pieces);
            _pool.Run(new WinogradColumnsJob(_products, chunks, filters, count, v, m), chunks.Groups * chunks.Parts);
            _pool.Run(new WinogradOutputsJob(chunks, epilogue, first, count, m), runs * chunks.Groups);
        }
    }
}

/// <summary>How a convolution of many channels is divided; the results do not depend on it.</summary>
internal readonly struct WinogradChunks
{
    private const long MostFloats = (12 << 20) / sizeof(float); // of V and M
    private const int RunTiles = 16; // of an item of a transform
    private const int LeastTiles = 48; // of an item of products, to pay for the transform of its filters
    private const int ThreadItems = 3;
    private const int ThreadsOfCache = 8; // that share a last-level cache

    public WinogradChunks(in WinogradShape shape, int threads, int l2)
    {
        Shape = shape;
        long most = MostFloats * Math.Max(1, threads / ThreadsOfCache);
        int wished = (int)Math.Max(LeastTiles, most / (WinogradTransform.Positions * (shape.Inputs + shape.Outputs)));
        int chunks = (shape.TileCount + wished - 1) / wished;
        Tiles = ((shape.TileCount + chunks - 1) / chunks + 3) / 4 * 4;
        GroupBlocks = l2 < Cache.Large || 2 * threads > shape.OutputBlocks ? 1 : 2; // a piece's filters of two blocks take 590 KB
        Parts = Math.Clamp((ThreadItems * threads + Groups - 1) / Groups, 1, Math.Max(1, Tiles / LeastTiles));
    }

    public WinogradShape Shape { get; }

    /// <summary>Tiles of a chunk; the last may have fewer.</summary>
    public int Tiles { get; }

    /// <summary>Blocks of a group of outputs, whose filters an item of products transforms.</summary>
    public int GroupBlocks { get; }

    /// <summary>Groups of outputs; the last may be smaller.</summary>
    public int Groups => (Shape.OutputBlocks + GroupBlocks - 1) / GroupBlocks;

    /// <summary>Parts of a chunk's tiles, so that there are enough items for all threads.</summary>
    public int Parts { get; }

    /// <summary>Pieces of the inputs, which are summed one after another.</summary>
    public int Pieces => (Shape.Inputs + Shape.InputsPerSum - 1) / Shape.InputsPerSum;

    /// <summary>Floats between positions of V <c>[piece][position][tile][input]</c>: an odd number of cache lines.</summary>
    public nint VStep => (nint)Tiles * Shape.InputsPerSum + Blocks.Size;

    /// <summary>Floats between positions of M <c>[group][position][tile][output]</c>, also an odd number of cache lines.</summary>
    public nint MStep => (nint)Tiles * GroupBlocks * Blocks.Size + Blocks.Size;

    /// <summary>Floats of a group of M.</summary>
    public nint GroupStep => WinogradTransform.Positions * MStep;

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

    /// <summary>Blocks of a group of outputs.</summary>
    public (int First, int End) OutputBlocks(int group) =>
        (group * GroupBlocks, Math.Min(Shape.OutputBlocks, (group + 1) * GroupBlocks));

    /// <summary>The tiles of a part of a chunk that has that many.</summary>
    public (int First, int End) PartTiles(int part, int count)
    {
        int rows = (Tiles / Parts + 3) / 4 * 4;
        return (part * rows, part == Parts - 1 ? count : Math.Min(count, (part + 1) * rows));
    }

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

/// <summary>M of a group of outputs and a part of a chunk's tiles, piece by piece of the inputs.</summary>
internal readonly unsafe struct WinogradColumnsJob(Tile.Product[] tiles, WinogradChunks chunks, WinogradFilters filters, int count,
    float* v, float* m) : IJob
{
    private readonly int _length = chunks.Shape.InputsPerSum;
    private readonly int _columns = chunks.GroupBlocks * Blocks.Size;

    public void Run(int index, Worker worker)
    {
        var tiles = chunks.PartTiles(index % chunks.Parts, count);
        var group = chunks.OutputBlocks(index / chunks.Parts);
        nint step = WinogradShape.FilterStep(_length, _columns);
        float* u = worker.Scratch(0, WinogradTransform.Positions * step), scratch = worker.Scratch(2, WinogradFilters.Scratch);
        for (int piece = 0; piece < chunks.Pieces && tiles.First < tiles.End; piece++)
        {
            var (first, end) = chunks.PieceBlocks(piece);
            for (int block = group.First; block < group.End; block++)
                filters.Transform((first * Blocks.Size, end * Blocks.Size), block, u + (block - group.First) * Blocks.Size, _columns, step,
                    scratch);
            Multiply(piece, u, index / chunks.Parts, tiles);
        }
    }

    /// <summary>
    /// The products of all positions. Each prefetches what the next position reads, and one of the outputs' filters for the next piece.
    /// </summary>
    private void Multiply(int piece, float* u, int group, (int First, int End) rows)
    {
        var (first, end) = chunks.PieceBlocks(piece);
        var (output, last) = chunks.OutputBlocks(group);
        float* a = v + piece * chunks.PieceStep, c = m + group * chunks.GroupStep;
        for (int p = 0; p < WinogradTransform.Positions; p++, a += chunks.VStep, c += chunks.MStep)
        {
            float* next = filters.Row(end * Blocks.Size, output * Blocks.Size + p);
            for (int i = rows.First; i < rows.End; next = null)
            {
                ref readonly var tile = ref Tile.Pick(tiles, last - output, rows.End - i);
                float* row = a + (nint)i * _length;
                tile.Run(row, _length, (end - first) * Blocks.Size, u + p * WinogradShape.FilterStep(_length, _columns), _columns,
                    c + (nint)i * _columns, _columns, piece > 0, next == null ? row + chunks.VStep : next);
                i += tile.Rows;
            }
        }
    }
}

/// <summary>Outputs of a group and a run of tiles.</summary>
internal readonly unsafe struct WinogradOutputsJob(WinogradChunks chunks, Epilogue epilogue, int first, int count, float* m) : IJob
{
    public void Run(int index, Worker worker)
    {
        int group = index % chunks.Groups;
        new WinogradStore(chunks.Shape, epilogue, m + group * chunks.GroupStep, chunks.MStep, chunks.GroupBlocks * Blocks.Size)
            .Tiles(chunks.OutputBlocks(group), first, WinogradChunks.Run(index / chunks.Groups, count),
                worker.Scratch(2, 40 * Blocks.Size));
    }
}
