namespace Rpat.Engine.Kernels.Cpu;

/// <summary>
/// Weight gradient by the adjoint of F(4×4, 3×3): dw = Gᵀ[Σ_tiles (Bᵀ x B) ⊙ (A dy Aᵀ)]G, 36 products whose reduction runs over tiles. Few
/// channels: fixed splits of the tiles, each summed by one worker in its caches, then added in order. Many channels:
/// <see cref="WinogradSlices"/>. Neither depends on the number of threads.
/// </summary>
internal unsafe partial class CpuKernels
{
    private const int Shares = WinogradSplitJob.Shares;
    private const int ShareTiles = WinogradSplitJob.Tiles;
    private const long SumsInCache = 36L * (64 * 64 + 16); // floats of sums that stay in L2

    private void WinogradWeightGradient(in ConvShape s, in Operand x, float* dy, bool accumulate, float* dw)
    {
        var shape = WinogradShape.Of(s, inputGradient: false);
        long sum = shape.FilterFloats;
        var gradient = new WinogradGradient(dw, s.C, s.K, accumulate);
        if (sum <= SumsInCache && shape.TileCount >= Shares * ShareTiles)
            GradientByShares(new WinogradSums(_sums, shape, new Affine(x), dy), sum, gradient);
        else GradientBySlices(new WinogradSlices(shape, l2), new Affine(x), dy, gradient);
    }

    private void GradientByShares(in WinogradSums stages, long sum, in WinogradGradient gradient)
    {
        float* sums = _pool.Caller.Scratch(6, Shares * sum);
        int parts = Math.Clamp(_pool.Threads / Shares, 1, stages.Shape.OutputBlocks); // of a share, whose sums are the same
        _pool.Run(new WinogradSplitJob(stages, sums, sum, parts), Shares * parts);
        _pool.Run(new WinogradUnpackJob(stages.Shape, sums, sum, gradient), stages.Shape.OutputBlocks);
    }

    private void GradientBySlices(in WinogradSlices slices, in Affine x, float* dy, in WinogradGradient gradient)
    {
        float* v = _pool.Caller.Scratch(4, WinogradTransform.Positions * slices.VStep);
        float* d = _pool.Caller.Scratch(5, WinogradTransform.Positions * slices.DStep);
        float* sums = slices.KeptFloats == 0 ? null : _pool.Caller.Scratch(6, slices.KeptFloats);
        for (int i = 0; i < slices.Chunks; i++)
        {
            int first = i * slices.Tiles, count = Math.Min(slices.Tiles, slices.Shape.TileCount - first);
            _pool.Run(new WinogradOperandsJob(slices, x, dy, first, count, v, d), WinogradOperandsJob.Items(count));
            var chunk = new WinogradChunk(count, i == 0, i == slices.Chunks - 1);
            _pool.Run(new WinogradProductJob(_sums, slices, v, d, sums, chunk, gradient),
                slices.ByPosition ? WinogradTransform.Positions : slices.Count);
        }
        if (slices.ByPosition) _pool.Run(new WinogradStoreJob(slices, sums, gradient), slices.Count);
    }
}

/// <summary>The stages of the weight gradient on a run of tiles.</summary>
internal readonly unsafe struct WinogradSums(Tile.Sums tiles, WinogradShape shape, Affine x, float* dy)
{
    public WinogradShape Shape => shape;

    /// <summary>V, and D of some filter blocks, of a run of tiles: <c>[position][tile][channel]</c>, with distances of positions.</summary>
    public void Transform(int first, int count, (int First, int End) blocks, float* v, nint vStep, float* d, nint dStep, float* patch)
    {
        WinogradPatch.Transform(x, shape, (0, shape.InputBlocks), first, count, v, vStep, shape.Inputs, Blocks.Size, patch);
        for (int block = blocks.First; block < blocks.End; block++)
            for (int i = 0; i < count; i++)
            {
                WinogradPatch.LoadOutputs(dy, block, shape.OutputBlocks, shape, shape.Place(first + i), patch);
                WinogradTransform.OutputAdjoint(patch, patch + 16 * Blocks.Size, d + (nint)i * shape.Outputs + block * Blocks.Size, dStep);
            }
    }

    /// <summary>sums[inputs, outputs] (+)= Vᵀ·D for one position and some filter blocks.</summary>
    public void Multiply(float* v, float* d, int count, (int First, int End) blocks, bool accumulate, float* sums)
    {
        for (int block = blocks.First; block < blocks.End;)
        {
            var panel = Columns.PanelOf(block - blocks.First, blocks.End - blocks.First);
            for (int i = 0; i < shape.Inputs; i += Blocks.Size)
                tiles.For(panel)(v + i, shape.Inputs, count, d + block * Blocks.Size, shape.Outputs,
                    sums + (nint)i * shape.Outputs + block * Blocks.Size, shape.Outputs, accumulate);
            block += panel.Blocks;
        }
    }
}

/// <summary>One part of the filter blocks of one fixed split of all tiles, summed for all positions.</summary>
internal readonly unsafe struct WinogradSplitJob(WinogradSums stages, float* sums, long sum, int parts) : IJob
{
    public const int Shares = 8;
    public const int Tiles = 24;

    public void Run(int index, Worker worker)
    {
        var shape = stages.Shape;
        nint vStep = WinogradShape.Step(Tiles, shape.Inputs), dStep = WinogradShape.Step(Tiles, shape.Outputs);
        float* v = worker.Scratch(0, WinogradTransform.Positions * vStep);
        float* d = worker.Scratch(1, WinogradTransform.Positions * dStep);
        float* patch = worker.Scratch(2, WinogradTransform.Scratch);
        int share = index / parts, part = index % parts;
        var blocks = (shape.OutputBlocks * part / parts, shape.OutputBlocks * (part + 1) / parts);
        int begin = (int)((long)shape.TileCount * share / Shares), end = (int)((long)shape.TileCount * (share + 1) / Shares);
        for (int first = begin; first < end; first += Tiles)
        {
            int count = Math.Min(Tiles, end - first);
            stages.Transform(first, count, blocks, v, vStep, d, dStep, patch);
            for (int p = 0; p < WinogradTransform.Positions; p++)
                stages.Multiply(v + p * vStep, d + p * dStep, count, blocks, first > begin,
                    sums + share * sum + p * WinogradShape.FilterStep(shape.Inputs, shape.Outputs));
        }
    }
}

/// <summary>Adds the splits of sixteen filters and transforms them back to 3×3.</summary>
internal readonly unsafe struct WinogradUnpackJob(WinogradShape shape, float* sums, long sum, WinogradGradient gradient) : IJob
{
    public void Run(int index, Worker worker)
    {
        float* u = worker.Scratch(2, 64 * Blocks.Size);
        for (int i = 0; i < gradient.Channels; i++)
        {
            for (int p = 0; p < WinogradTransform.Positions; p++)
                Total(WinogradShape.FilterStep(shape.Inputs, shape.Outputs) * p + (long)i * shape.Outputs + index * Blocks.Size)
                    .Store(u + p * Blocks.Size);
            gradient.Store(u, Blocks.Size, i, index * Blocks.Size, u + 36 * Blocks.Size);
        }
    }

    private Vec Total(long at)
    {
        Vec total = Vector512.Load(sums + at);
        for (int share = 1; share < WinogradSplitJob.Shares; share++) total += Vector512.Load(sums + share * sum + at);
        return total;
    }
}
