namespace Rpat.Engine.Kernels.Cpu;

/// <summary>
/// Winograd for many channels, whose transformed filters are too large for the caches: all workers transform a chunk of tiles, then each
/// takes the filters of a few outputs, transforms them into its L2, multiplies and transforms back. V passes through the last-level cache,
/// the transformed filters and M through no more than L2.
/// </summary>
internal unsafe partial class CpuKernels
{
    private void WinogradByColumns(in WinogradShape shape, in Affine x, in WinogradFilters filters, in Epilogue epilogue)
    {
        var chunks = new WinogradChunks(shape, _pool.Threads, l2);
        float* v = _pool.Caller.Scratch(4, chunks.VFloats);
        for (int first = 0; first < shape.TileCount; first += chunks.Tiles)
        {
            int count = Math.Min(chunks.Tiles, shape.TileCount - first);
            _pool.Run(new WinogradInputsJob(chunks, x, first, count, v), WinogradChunks.Runs(count) * chunks.Pieces);
            _pool.Run(new WinogradColumnsJob(_products, chunks, filters, epilogue, first, count, v), chunks.Groups * chunks.Parts);
        }
    }
}

/// <summary>How a convolution of many channels is divided; the results do not depend on it.</summary>
internal readonly struct WinogradChunks
{
    private const long MostFloats = (12 << 20) / sizeof(float); // of V
    private const int MostSums = 166 << 10; // floats of M
    private const int RunTiles = 16; // of an item of a transform
    private const int LeastTiles = 48; // of an item of products, to pay for the transform of its filters
    private const int ThreadItems = 3;
    private const int ThreadsOfCache = 8; // that share a last-level cache

    public WinogradChunks(in WinogradShape shape, int threads, int l2)
    {
        Shape = shape;
        long most = MostFloats * Math.Max(1, threads / ThreadsOfCache);
        int wished = (int)Math.Max(LeastTiles, most / (shape.Positions * shape.Inputs));
        int chunks = (shape.TileCount + wished - 1) / wished;
        Tiles = ((shape.TileCount + chunks - 1) / chunks + 3) / 4 * 4;
        GroupBlocks = l2 < Cache.Large || 2 * threads > shape.OutputBlocks ? 1 : 2; // a piece's filters of two blocks take 590 KB
        int fit = MostSums / (shape.Positions * GroupBlocks * Blocks.Size);
        Parts = Math.Max((Tiles + fit - 1) / fit, Math.Min((ThreadItems * threads + Groups - 1) / Groups, Tiles / LeastTiles));
    }

    public WinogradShape Shape { get; }

    /// <summary>Tiles of a chunk; the last may have fewer.</summary>
    public int Tiles { get; }

    /// <summary>Blocks of a group of outputs, whose filters an item of products transforms.</summary>
    public int GroupBlocks { get; }

    /// <summary>Groups of outputs; the last may be smaller.</summary>
    public int Groups => (Shape.OutputBlocks + GroupBlocks - 1) / GroupBlocks;

    /// <summary>Parts of a chunk's tiles: M of a part stays in L2, and there are enough items for all threads.</summary>
    public int Parts { get; }

    private int PartRows => ((Tiles + Parts - 1) / Parts + 3) / 4 * 4;

    /// <summary>Pieces of the inputs, which are summed one after another.</summary>
    public int Pieces => (Shape.Inputs + Shape.InputsPerSum - 1) / Shape.InputsPerSum;

    /// <summary>Floats between positions of V <c>[piece][position][tile][input]</c>: an odd number of cache lines.</summary>
    public nint VStep => (nint)Tiles * Shape.InputsPerSum + Blocks.Size;

    /// <summary>Floats between positions of M <c>[position][tile][output]</c>, also an odd number of cache lines; the last tile of a part
    /// stores up to three rows more than there are, which must not be the next position's.</summary>
    public nint MStep => (nint)(PartRows + 4) * GroupBlocks * Blocks.Size + Blocks.Size;

    /// <summary>Floats of V, including those that are prefetched past its end.</summary>
    public long VFloats => ((long)Pieces * Shape.Positions + 1) * VStep;

    /// <summary>Floats of a piece of V.</summary>
    public nint PieceStep => Shape.Positions * VStep;

    /// <summary>Blocks of inputs of a piece.</summary>
    public (int First, int End) PieceBlocks(int piece)
    {
        int blocks = Shape.InputsPerSum / Blocks.Size;
        return (piece * blocks, Math.Min(Shape.InputBlocks, (piece + 1) * blocks));
    }

    /// <summary>Blocks of a group of outputs.</summary>
    public (int First, int End) OutputBlocks(int group) => (group * GroupBlocks, Math.Min(Shape.OutputBlocks, (group + 1) * GroupBlocks));

    /// <summary>The tiles of a part of a chunk that has that many.</summary>
    public (int First, int End) PartTiles(int part, int count) => (part * PartRows, Math.Min(count, (part + 1) * PartRows));

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
            worker.Scratch(2, WinogradTransform.Scratch));
    }
}

/// <summary>A group of outputs of a part of a chunk's tiles: M, piece by piece of the inputs, and the way back.</summary>
internal readonly unsafe struct WinogradColumnsJob(Tile.Product[] tiles, WinogradChunks chunks, WinogradFilters filters,
    Epilogue epilogue, int start, int count, float* v) : IJob
{
    private readonly int _length = chunks.Shape.InputsPerSum;
    private readonly int _columns = chunks.GroupBlocks * Blocks.Size;

    public void Run(int index, Worker worker)
    {
        var part = chunks.PartTiles(index % chunks.Parts, count);
        var group = chunks.OutputBlocks(index / chunks.Parts);
        nint step = WinogradShape.FilterStep(_length, _columns);
        float* u = worker.Scratch(0, WinogradTransform.Positions * step), m = worker.Scratch(1, chunks.Shape.Positions * chunks.MStep);
        float* scratch = worker.Scratch(2, WinogradTransform.Scratch);
        if (part.First >= part.End) return;
        for (int piece = 0; piece < chunks.Pieces; piece++)
        {
            var (first, end) = chunks.PieceBlocks(piece);
            for (int block = group.First; block < group.End; block++)
                filters.Transform((first * Blocks.Size, end * Blocks.Size), block, u + (block - group.First) * Blocks.Size, _columns, step,
                    scratch);
            Multiply(piece, u, m, group, part);
        }
        new WinogradStore(chunks.Shape, epilogue, m, chunks.MStep, _columns).Tiles(group, start + part.First, (0, part.End - part.First),
            scratch);
    }

    /// <summary>
    /// The products of all positions. Each prefetches what the next position reads, then one of the outputs' filters for the next piece or,
    /// during the last, the maps that the way back reads and writes.
    /// </summary>
    private void Multiply(int piece, float* u, float* m, (int First, int End) group, (int First, int End) part)
    {
        var (first, end) = chunks.PieceBlocks(piece);
        int length = (end - first) * Blocks.Size, rows = part.End - part.First;
        var shape = chunks.Shape;
        bool isLast = piece == chunks.Pieces - 1;
        WinogradPrefetch add = Outputs(isLast ? epilogue.Add : null, group, part), y = Outputs(isLast ? epilogue.Y : null, group, part);
        var through = Outputs(isLast ? epilogue.Through : null, group, part);
        float* a = v + piece * chunks.PieceStep + (nint)part.First * _length;
        for (int p = 0; p < shape.Positions; p++, a += chunks.VStep, m += chunks.MStep)
        {
            float* b = u + shape.FilterOf(p) * WinogradShape.FilterStep(_length, _columns);
            float* operand = a + chunks.VStep, rest = operand + (nint)rows * _length;
            float* next = filters.Row(end * Blocks.Size, group.First * Blocks.Size + p);
            for (int i = 0; i < rows; operand += length * Blocks.Size)
            {
                ref readonly var tile = ref Tile.Pick(tiles, group.End - group.First, rows - i);
                float* ahead = operand < rest ? operand : next;
                if (operand >= rest) next = null;
                if (ahead == null) ahead = through.Next(length);
                if (ahead == null) ahead = add.Next(length);
                if (ahead == null) ahead = y.Next(length);
                tile.Run(a + (nint)i * _length, _length, length, b, _columns, m + (nint)i * _columns, _columns, piece > 0,
                    ahead == null ? b : ahead);
                i += tile.Rows;
            }
        }
    }

    private WinogradPrefetch Outputs(float* map, (int First, int End) blocks, (int First, int End) part) =>
        new(map, chunks.Shape, chunks.Shape.Output, blocks, start + part.First, part.End - part.First);
}
