namespace Rpat.Engine.Kernels.Cpu;

/// <summary>
/// 3×3 stride-1 convolution by Winograd's F(4×4, 3×3). A worker takes a run of consecutive output tiles through all three stages
/// (transform, 36 small products, transform back) so that the transformed values never leave its caches. The input gradient is the same
/// with the output gradient as input and filters rotated by 180°.
/// </summary>
internal unsafe partial class CpuKernels
{
    private static bool FitsWinograd(in ConvShape s) => s is { R: 3, Stride: 1, Padding: 1, Trailing: 0, InputLayout: Layout.Blocked };

    private void WinogradForward(in ConvShape s, in Operand x, float* filters, float* residual, float* y) =>
        Winograd(s, false, new Affine(x), filters, new Epilogue(y, residual, default));

    private void WinogradInputGradient(in ConvShape s, float* dy, float* filters, in Affine through, float* add, float* dx) =>
        Winograd(s, true, new Affine(dy), filters, new Epilogue(dx, add, through));

    private void Winograd(in ConvShape s, bool inputGradient, in Affine x, float* u, in Epilogue epilogue)
    {
        var shape = WinogradShape.Of(s, inputGradient);
        if (!shape.KeepsFilters)
        {
            WinogradByColumns(shape, x, new WinogradFilters(u, s.K, s.C, inputGradient), epilogue);
            return;
        }
        int run = shape.TilesPerItem(_pool.Threads, l2);
        int runs = (shape.TileCount + run - 1) / run;
        _pool.Run(new WinogradJob(_products, shape, x, u, epilogue, run, _pool.ChunkOf(runs), _pool.Threads), runs);
    }
}

/// <summary>Sizes of a Winograd convolution in tiles and channel blocks.</summary>
internal readonly record struct WinogradShape(int N, int H, int W, int InputBlocks, int OutputBlocks)
{
    private const int Rows = 4; // of the smallest register tile; with taller tiles it adds up to any multiple
    private const long MostFilters = (4 << 20) / sizeof(float);

    /// <summary>A convolution, or its input gradient, whose inputs are the filters.</summary>
    public static WinogradShape Of(in ConvShape s, bool inputGradient)
    {
        var (c, k) = (Blocks.Count(s.C), Blocks.Count(s.K));
        return new(s.Input.N, s.Input.H, s.Input.W, inputGradient ? k : c, inputGradient ? c : k);
    }

    /// <summary>
    /// Whether transformed filters are kept: up to 4 MiB. More would be read from memory for every few tiles, at a higher price than that
    /// of transforming them again for many tiles, and a deep net's would take several times the memory of its activations.
    /// </summary>
    public bool KeepsFilters => FilterFloats <= MostFilters;

    /// <summary>Floats of the transformed filters of all positions.</summary>
    public long FilterFloats => WinogradTransform.Positions * FilterStep(Inputs, Outputs);

    public int TilesY => (H + 3) / 4;
    public int TilesX => (W + 3) / 4;
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
        int wished = Math.Max(Inputs, Outputs) switch { <= 64 => l2 < Cache.Large ? 16 : 24, <= 128 => 48, _ => 32 };
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

    /// <summary>Image, first row and first column of a tile's outputs.</summary>
    public (int N, int Y, int X) OriginOf(int tile)
    {
        int perImage = TilesY * TilesX, n = tile / perImage, i = tile % perImage;
        return (n, i / TilesX * 4, i % TilesX * 4);
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
        float* v = worker.Scratch(0, WinogradTransform.Positions * vStep);
        float* m = worker.Scratch(1, WinogradTransform.Positions * mStep);
        float* patch = worker.Scratch(2, WinogradTransform.Positions * Blocks.Size);
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
            new(x.Data, shape, shape.InputBlocks, After(index) * run, run, border: 1),
        ];
        new WinogradProducts(tiles, shape, u, count, ahead).Run(v, vStep, m, mStep);
    }

    /// <summary>The next run of this chunk or, after its last, the first of the chunk that follows those of the other threads.</summary>
    private int After(int index) => (index + 1) % share > 0 ? index + 1 : index + 1 + (threads - 1) * share;

    private WinogradPrefetch Outputs(float* map, int first, int count) => new(map, shape, shape.OutputBlocks, first, count, border: 0);
}

/// <summary>The way from M back to outputs: a position's tiles are <paramref name="row"/> apart, a tile's blocks contiguous.</summary>
internal readonly unsafe struct WinogradStore(WinogradShape shape, Epilogue epilogue, float* m, nint step, nint row)
{
    /// <summary>Some tiles of M, block by block, so that neighbouring tiles write neighbouring pixels.</summary>
    /// <param name="blocks">Blocks of the outputs, of which the first is M's first.</param>
    /// <param name="first">The tile of the map that is the first of M.</param>
    public void Tiles((int First, int End) blocks, int first, (int First, int End) tiles, float* patch)
    {
        for (int block = blocks.First; block < blocks.End; block++)
            for (int i = tiles.First; i < tiles.End; i++)
            {
                WinogradTransform.Output(m + i * row + (block - blocks.First) * Blocks.Size, step, patch);
                Store(shape.OriginOf(first + i), block, patch);
            }
    }

    private void Store((int N, int Y, int X) at, int block, float* patch)
    {
        int rows = Math.Min(4, shape.H - at.Y), columns = Math.Min(4, shape.W - at.X);
        nint offset = ((((nint)at.N * shape.OutputBlocks + block) * shape.H + at.Y) * shape.W + at.X) * Blocks.Size;
        for (int i = 0; i < rows; i++, offset += shape.W * Blocks.Size)
            epilogue.Store(patch + i * 64, Blocks.Size, block, offset, Blocks.Size, columns);
    }
}
