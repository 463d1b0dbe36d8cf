namespace Rpat.Engine.Kernels.Cpu;

/// <summary>
/// The 36 products of a run of tiles: M[p] = V[p]·U[p], <c>[tiles, inputs]·[inputs, outputs]</c>. They take most of the time and need
/// little memory bandwidth, so each step prefetches a cache line: of the next piece of the filters if these are too large for L2, then of
/// the maps that the transforms before and after the products read and write.
/// </summary>
/// <param name="u">Transformed filters, <c>[position][panel][input][columns]</c>.</param>
/// <param name="maps">Maps to prefetch, in this order.</param>
internal unsafe ref struct WinogradProducts(ReadOnlySpan<Tile.Product> tiles, WinogradShape shape, float* u, int count,
    Span<WinogradPrefetch> maps)
{
    private const int FiltersInCache = 64 * 64; // inputs × outputs whose 36 positions fit in L2 together with a run

    private readonly ReadOnlySpan<Tile.Product> _tiles = tiles;
    private readonly bool _fetchFilters = shape.Inputs * shape.Outputs > FiltersInCache;
    private Span<WinogradPrefetch> _maps = maps;
    private float* _filters; // those that are prefetched next

    /// <summary>All positions.</summary>
    public void Run(float* v, nint vStep, float* m, nint mStep)
    {
        for (int p = 0; p < WinogradTransform.Positions; p++)
            Position(v, vStep, u + p * WinogradShape.FilterStep(shape.Inputs, shape.Outputs), m, mStep, shape.ProductsOf(p));
    }

    private void Position(float* v, nint vStep, float* b, float* m, nint mStep, in (int First, int Rows, int Columns) products)
    {
        int piece = shape.InputsPerSum;
        for (int block = 0; block < shape.OutputBlocks;)
        {
            var panel = Columns.PanelOf(block, shape.OutputBlocks);
            for (int c = 0; c < shape.Inputs; c += piece)
            {
                int length = Math.Min(piece, shape.Inputs - c);
                _filters = b + (nint)length * panel.Columns;
                float* end = _fetchFilters ? _filters + (nint)length * panel.Columns : _filters;
                for (int i = 0; i < products.Rows; i++)
                    for (int j = 0; j < products.Columns; j++)
                    {
                        int p = products.First + 9 * i + j;
                        Piece(v + c + p * vStep, length, b, panel, m + block * Blocks.Size + p * mStep, c > 0, end);
                    }
                b += (nint)length * panel.Columns;
            }
            block += panel.Blocks;
        }
    }

    /// <summary>One panel's piece of the reduction, for all tiles.</summary>
    private void Piece(float* v, int length, float* b, in Panel panel, float* m, bool accumulate, float* end)
    {
        for (int i = 0; i < count; _filters += length * Blocks.Size)
        {
            ref readonly var tile = ref Tile.Pick(_tiles, panel.Blocks, count - i);
            float* ahead = _filters < end ? _filters : NextOfMaps(length);
            tile.Run(v + (nint)i * shape.Inputs, shape.Inputs, length, b, panel.Columns, m + (nint)i * shape.Outputs, shape.Outputs,
                accumulate,
                ahead == null ? b : ahead); // when nothing is left to prefetch, lines that are in the cache anyway
            i += tile.Rows;
        }
    }

    private float* NextOfMaps(int lines)
    {
        for (; !_maps.IsEmpty; _maps = _maps[1..])
        {
            float* line = _maps[0].Next(lines);
            if (line != null) return line;
        }
        return null;
    }
}
