namespace Rpat.Engine.Kernels.Cpu;

/// <summary>
/// 3×3 stride-1 convolution by Winograd's F(4×4, 3×3). A worker takes a run of consecutive output tiles through all three stages
/// (transform, 36 small products, transform back) so that the transformed values never leave its caches. The input gradient is the same
/// with the output gradient as input and filters rotated by 180°.
/// </summary>
internal sealed unsafe partial class CpuKernels
{
    private static bool FitsWinograd(in ConvShape s) => s is { R: 3, Stride: 1, Padding: 1, Trailing: 0, InputLayout: Layout.Blocked };

    private void WinogradForward(in ConvShape s, in Operand x, float* filters, float* residual, float* y)
    {
        var shape = new WinogradShape(s.Input.N, s.Input.H, s.Input.W, Blocks.Count(s.C), Blocks.Count(s.K));
        Winograd(shape, new Affine(x), filters, new Epilogue(y, residual, default));
    }

    private void WinogradInputGradient(in ConvShape s, float* dy, float* filters, in Affine through, float* add, float* dx)
    {
        var shape = new WinogradShape(s.Input.N, s.Input.H, s.Input.W, Blocks.Count(s.K), Blocks.Count(s.C));
        Winograd(shape, new Affine(dy), filters, new Epilogue(dx, add, through));
    }

    private void Winograd(in WinogradShape shape, in Affine x, float* u, in Epilogue epilogue)
    {
        int run = shape.TilesPerItem(_pool.Threads);
        int runs = (shape.TileCount + run - 1) / run;
        _pool.Run(new WinogradJob(_products, shape, x, u, epilogue, run, _pool.ChunkOf(runs), _pool.Threads), runs);
    }
}

/// <summary>Sizes of a Winograd convolution in tiles and channel blocks.</summary>
internal readonly record struct WinogradShape(int N, int H, int W, int InputBlocks, int OutputBlocks)
{
    private const int Rows = 4; // of the smallest register tile; with taller tiles it adds up to any multiple

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
    public int TilesPerItem(int threads)
    {
        int wished = Math.Max(Inputs, Outputs) switch { <= 64 => 24, <= 128 => 48, _ => 32 };
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
        WinogradPatch.Transform(x, shape, first, count, v, vStep, shape.Inputs, Blocks.Size, patch);
        Multiply(index, count, v, vStep, m, mStep);
        TransformBack(first, count, m, mStep, patch);
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

    /// <summary>Block by block, so that neighbouring tiles write neighbouring pixels.</summary>
    private void TransformBack(int first, int count, float* m, nint step, float* patch)
    {
        for (int block = 0; block < shape.OutputBlocks; block++)
            for (int i = 0; i < count; i++)
            {
                var at = shape.OriginOf(first + i);
                WinogradTransform.Output(m + (nint)i * shape.Outputs + block * Blocks.Size, step, patch);
                Store(at, block, patch);
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

/// <summary>
/// Transforms a weight for all 36 positions, one item per part of the input channels of one panel: in the input gradient's order a panel's
/// filters of one input are contiguous, and the results are contiguous in both orders.
/// </summary>
internal readonly unsafe struct WinogradFilterJob(float* w, int k, int c, bool inputGradient, float* to) : IJob
{
    private const int Parts = 4;

    private readonly int _inputs = Blocks.Count(inputGradient ? k : c) * Blocks.Size;
    private readonly int _outputBlocks = Blocks.Count(inputGradient ? c : k);

    public int Items => Panel.Count(_outputBlocks) * Parts;

    public void Run(int index, Worker worker)
    {
        var panel = Panel.At(index / Parts, _outputBlocks);
        int part = index % Parts, first = _inputs * part / Parts, end = _inputs * (part + 1) / Parts;
        nint position = WinogradShape.FilterStep(_inputs, _outputBlocks * Blocks.Size);
        float* target = to + panel.Offset(_inputs) + (nint)first * panel.Columns;
        float* g = worker.Scratch(2, 27 * Blocks.Size);
        for (int i = first; i < end; i++)
            for (int j = 0; j < panel.Blocks; j++, target += Blocks.Size)
            {
                Gather(i, (panel.Block + j) * Blocks.Size, g);
                WinogradTransform.Filter(g, target, position);
            }
    }

    /// <summary>The filters of one input and sixteen outputs, one per lane; rotated by 180° for the input gradient.</summary>
    private void Gather(int input, int firstOutput, float* g)
    {
        for (int lane = 0; lane < Blocks.Size; lane++)
        {
            var (filter, channel) = inputGradient ? (input, firstOutput + lane) : (firstOutput + lane, input);
            bool inside = filter < k && channel < c;
            float* from = w + ((long)filter * c + channel) * 9;
            for (int tap = 0; tap < 9; tap++) g[tap * Blocks.Size + lane] = inside ? from[inputGradient ? 8 - tap : tap] : 0;
        }
    }
}
