namespace Rpat.Engine.Kernels.Cpu;

/// <summary>
/// 3×3 stride-1 convolution by Winograd's F(4×4, 3×3). A worker takes a run of consecutive output tiles through all three stages
/// (transform, 36 small products, transform back) so that the transformed values never leave its caches. The input gradient is the same
/// with the output gradient as input and filters rotated by 180°.
/// </summary>
internal unsafe partial class CpuKernels
{
    private static bool FitsWinograd(in ConvShape s) => s is { R: 3, Stride: 1 or 2, Padding: 1, Trailing: 0, InputLayout: Layout.Blocked };

    private void WinogradForward(in ConvShape s, in Operand x, float* filters, float* residual, float* y) =>
        Winograd(s, false, new Affine(x), filters, new Epilogue(y, residual, default));

    private void WinogradInputGradient(in ConvShape s, float* dy, float* filters, in Affine through, float* add, float* dx) =>
        Winograd(s, true, new Affine(dy), filters, new Epilogue(dx, add, through));

    private void Winograd(in ConvShape s, bool inputGradient, in Affine x, float* u, in Epilogue epilogue)
    {
        var shape = WinogradShape.Of(s, inputGradient);
        if (!shape.KeepsFilters)
        {
            WinogradByColumns(shape, x, new WinogradFilters(u, s.K, s.C, inputGradient, s.Stride > 1), epilogue);
            return;
        }
        int run = shape.TilesPerItem(_pool.Threads, l2);
        int runs = (shape.TileCount + run - 1) / run;
        _pool.Run(new WinogradJob(_products, shape, x, u, epilogue, run, _pool.ChunkOf(runs), _pool.Threads), runs);
    }
}

/// <summary>A map as the tiles see it: neighbouring tiles are <paramref name="Pitch"/> pixels apart, a tile has Side² of them.</summary>
/// <param name="Start">The first tile's first row and column.</param>
internal readonly record struct WinogradMap(int Blocks, int H, int W, int Pitch, int Start, int Side)
{
    /// <summary>First row or column of a tile, given its row or column of tiles.</summary>
    public int First(int tile) => tile * Pitch + Start;
}

/// <summary>Sizes of a Winograd convolution in tiles and channel blocks.</summary>
internal readonly record struct WinogradShape(int N, WinogradMap Input, WinogradMap Output)
{
    private const int Rows = 4; // of the smallest register tile; with taller tiles it adds up to any multiple
    private const long MostFilters = (4 << 20) / sizeof(float);

    /// <summary>A convolution, or its input gradient, whose inputs are the filters.</summary>
    public static WinogradShape Of(in ConvShape s, bool inputGradient)
    {
        var (c, k) = (Blocks.Count(s.C), Blocks.Count(s.K));
        var (h, w) = (s.Input.H, s.Input.W);
        if (s.Stride == 1)
            return new(s.Input.N, new(inputGradient ? k : c, h, w, 4, -1, 6), new(inputGradient ? c : k, h, w, 4, 0, 4));
        return inputGradient ? new(s.Input.N, new(k, s.P, s.Q, 4, 0, 5), new(c, h, w, 8, 0, 8))
            : new(s.Input.N, new(c, h, w, 8, -1, 9), new(k, s.P, s.Q, 4, 0, 4));
    }

    /// <summary>Products per tile and channel pair.</summary>
    public int Positions => IsStrided ? 81 : 36;

    private bool IsStrided => Input.Pitch != Output.Pitch;

    /// <summary>The products that take a position's filters: the first, and how many rows and columns of them.</summary>
    public (int First, int Rows, int Columns) ProductsOf(int p)
    {
        if (!IsStrided) return (p, 1, 1);
        int y = p / 6, x = p % 6;
        return ((y == 0 ? 0 : y + 3) * 9 + (x == 0 ? 0 : x + 3), y == 0 ? 4 : 1, x == 0 ? 4 : 1);
    }

    /// <summary>The filters' position that a product takes.</summary>
    public int FilterOf(int p) => IsStrided ? Math.Max(0, p / 9 - 3) * 6 + Math.Max(0, p % 9 - 3) : p;

    public int InputBlocks => Input.Blocks;
    public int OutputBlocks => Output.Blocks;

    /// <summary>
    /// Whether transformed filters are kept: up to 4 MiB. More would be read from memory for every few tiles, at a higher price than that
    /// of transforming them again for many tiles, and a deep net's would take several times the memory of its activations.
    /// </summary>
    public bool KeepsFilters => FilterFloats <= MostFilters;

    /// <summary>Floats of the transformed filters of all positions.</summary>
    public long FilterFloats => WinogradTransform.Positions * FilterStep(Inputs, Outputs);

    public int TilesY => (Output.H + Output.Pitch - 1) / Output.Pitch;
    public int TilesX => (Output.W + Output.Pitch - 1) / Output.Pitch;
    public int TileCount => N * TilesY * TilesX;
    public int Inputs => InputBlocks * Blocks.Size;
    public int Outputs => OutputBlocks * Blocks.Size;

    /// <summary>
    /// Input channels per sum, at most 128. The transform back multiplies rounding errors of these sums by up to 64, so long sums are made
    /// of short ones: a squared error of 2e-11 with 640 channels becomes 4e-12.
    /// </summary>
    public int InputsPerSum
    {
        get
        {
            int sums = (InputBlocks + 7) / 8;
            return (InputBlocks + sums - 1) / sums * Blocks.Size;
        }
    }

    /// <summary>
    /// Tiles that one worker transforms together: enough to reuse each filter value often (it comes from L3 or memory if there are many
    /// channels), few enough that their transforms stay in L2, and the same number for all workers.
    /// </summary>
    public int TilesPerItem(int threads, int l2)
    {
        bool large = l2 >= Cache.Large;
        int wished = IsStrided ? large ? 12 : 8 : Math.Max(Inputs, Outputs) switch { <= 64 => large ? 24 : 16, <= 128 => 48, _ => 32 };
        int runs = Math.Max(1, (TileCount + wished - 1) / wished);
        runs = (runs + threads - 1) / threads * threads;
        return Math.Max(1, ((TileCount + runs - 1) / runs + Rows - 1) / Rows * Rows);
    }

    /// <summary>
    /// Floats between positions of a transformed run: an odd number of cache lines, so that the 36 positions do not share a cache set.
    /// </summary>
    public static nint Step(int tiles, int channels) => (nint)(tiles + 16) * channels + Blocks.Size;

    /// <summary>Floats between positions of transformed filters, also an odd number of cache lines.</summary>
    public static nint FilterStep(int inputs, int outputs) => (nint)inputs * outputs + Blocks.Size;

    /// <summary>Image, row of tiles and column of tiles of a tile.</summary>
    public (int N, int Y, int X) Place(int tile)
    {
        int perImage = TilesY * TilesX, n = tile / perImage, i = tile % perImage;
        return (n, i / TilesX, i % TilesX);
    }
}

/// <summary>
/// One run of tiles through the three stages. During the products it prefetches the maps that it will store to, and the inputs of the run
/// that this worker will probably take next.
/// </summary>
internal readonly unsafe struct WinogradJob(Tile.Product[] tiles, WinogradShape shape, Affine x, float* u, Epilogue epilogue,
    int run, int share, int threads) : IJob
{
    public void Run(int index, Worker worker)
    {
        int first = index * run, count = Math.Min(run, shape.TileCount - first);
        nint vStep = WinogradShape.Step(run, shape.Inputs), mStep = WinogradShape.Step(run, shape.Outputs);
        float* v = worker.Scratch(0, shape.Positions * vStep);
        float* m = worker.Scratch(1, shape.Positions * mStep);
        float* patch = worker.Scratch(2, WinogradTransform.Scratch);
        WinogradPatch.Transform(x, shape, (0, shape.InputBlocks), first, count, v, vStep, shape.Inputs, Blocks.Size, patch);
        Multiply(index, count, v, vStep, m, mStep);
        new WinogradStore(shape, epilogue, m, mStep, shape.Outputs).Tiles((0, shape.OutputBlocks), first, (0, count), patch);
    }

    private void Multiply(int index, int count, float* v, nint vStep, float* m, nint mStep)
    {
        int first = index * run;
        Span<WinogradPrefetch> ahead =
        [
            Outputs(epilogue.Through, first, count), Outputs(epilogue.Add, first, count), Outputs(epilogue.Y, first, count),
            new(x.Data, shape, shape.Input, (0, shape.InputBlocks), After(index) * run, run),
        ];
        new WinogradProducts(tiles, shape, u, count, ahead).Run(v, vStep, m, mStep);
    }

    /// <summary>The next run of this chunk or, after its last, the first of the chunk that follows those of the other threads.</summary>
    private int After(int index) => (index + 1) % share > 0 ? index + 1 : index + 1 + (threads - 1) * share;

    private WinogradPrefetch Outputs(float* map, int first, int count) =>
        new(map, shape, shape.Output, (0, shape.OutputBlocks), first, count);
}

/// <summary>The way from M back to outputs: a position's tiles are <paramref name="row"/> apart, a tile's blocks contiguous.</summary>
internal readonly unsafe struct WinogradStore(WinogradShape shape, Epilogue epilogue, float* m, nint step, nint row)
{
    /// <summary>Some tiles of M, block by block, so that neighbouring tiles write neighbouring pixels.</summary>
    /// <param name="blocks">Blocks of the outputs, of which the first is M's first.</param>
    /// <param name="first">The tile of the map that is the first of M.</param>
    public void Tiles((int First, int End) blocks, int first, (int First, int End) tiles, float* patch)
    {
        if (shape.Input.Pitch == shape.Output.Pitch) Tiles<UnitAxis>(blocks, first, tiles, patch);
        else if (shape.Input.Pitch > shape.Output.Pitch) Tiles<StridedAxis>(blocks, first, tiles, patch);
        else Tiles<StridedGradientAxis>(blocks, first, tiles, patch);
    }

    private void Tiles<TAxis>((int First, int End) blocks, int first, (int First, int End) tiles, float* patch) where TAxis : IWinogradAxis
    {
        for (int block = blocks.First; block < blocks.End; block++)
            for (int i = tiles.First; i < tiles.End; i++)
            {
                WinogradTransform.Output<TAxis>(m + i * row + (block - blocks.First) * Blocks.Size, step, patch + WinogradTransform.Patch,
                    patch);
                Store(shape.Output, shape.Place(first + i), block, patch);
            }
    }

    private void Store(in WinogradMap map, (int N, int Y, int X) at, int block, float* patch)
    {
        int y = map.First(at.Y), x = map.First(at.X), rows = Math.Min(map.Side, map.H - y), columns = Math.Min(map.Side, map.W - x);
        nint offset = ((((nint)at.N * map.Blocks + block) * map.H + y) * map.W + x) * Blocks.Size;
        for (int i = 0; i < rows; i++, offset += map.W * Blocks.Size)
            epilogue.Store(patch + i * map.Side * Blocks.Size, Blocks.Size, block, offset, Blocks.Size, columns);
    }
}
