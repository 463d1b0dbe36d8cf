using System.Runtime.Intrinsics;
using Vec = System.Runtime.Intrinsics.Vector512<float>;

namespace Rpat.Engine.Kernels.Cpu;

/// <summary>
/// Weight gradient by the adjoint of F(4×4, 3×3): dw = Gᵀ[Σ_tiles (Bᵀ x B) ⊙ (A dy Aᵀ)]G, 36 products whose reduction runs over
/// tiles. Few channels: fixed shares of the tiles, each summed by one worker in its caches, then added in order. Many
/// channels: all workers transform a chunk of tiles together and own whole positions. Neither depends on the number of threads.
/// </summary>
internal sealed unsafe partial class CpuKernels
{
    private const int Shares = WinogradShareJob.Shares;
    private const int ShareTiles = WinogradShareJob.Tiles;
    private const long SumsInCache = 36L * (64 * 64 + 16); // floats of sums that stay in L2
    private const long ChunkFloats = 4 << 20;

    private void WinogradWeightGradient(in ConvShape s, in Operand x, float* dy, bool accumulate, float* dw)
    {
        var shape = new WinogradShape(s.Input.N, s.Input.H, s.Input.W, Blocks.Count(s.C), Blocks.Count(s.K));
        long sum = WinogradTransform.Positions * WinogradShape.FilterStep(shape.Inputs, shape.Outputs);
        var job = new WinogradSums(_tiles, shape, new Affine(x), dy);
        bool shared = sum <= SumsInCache && shape.TileCount >= Shares * ShareTiles;
        float* sums = _pool.Caller.Scratch(6, shared ? Shares * sum : sum);
        if (shared) _pool.Run(new WinogradShareJob(job, sums, sum), Shares);
        else WinogradChunks(shape, job, sums);
        _pool.Run(new WinogradUnpackJob(shape, sums, sum, shared ? Shares : 1, s.C, s.K, accumulate, dw), shape.OutputBlocks);
    }

    private void WinogradChunks(in WinogradShape shape, in WinogradSums job, float* sums)
    {
        int chunk = (int)Math.Min(shape.TileCount, Math.Max(ShareTiles, ChunkFloats / (WinogradTransform.Positions * (shape.Inputs + shape.Outputs))));
        nint vStep = WinogradShape.Step(chunk, shape.Inputs), dStep = WinogradShape.Step(chunk, shape.Outputs);
        float* v = _pool.Caller.Scratch(4, WinogradTransform.Positions * vStep);
        float* d = _pool.Caller.Scratch(5, WinogradTransform.Positions * dStep);
        for (int first = 0; first < shape.TileCount; first += chunk)
        {
            int count = Math.Min(chunk, shape.TileCount - first);
            _pool.Run(new WinogradTransformJob(job, first, count, v, vStep, d, dStep), (count + WinogradTransformJob.Tiles - 1) / WinogradTransformJob.Tiles);
            _pool.Run(new WinogradPositionJob(job, count, v, vStep, d, dStep, first > 0, sums), WinogradTransform.Positions);
        }
    }
}

/// <summary>The stages of the weight gradient on a run of tiles.</summary>
internal readonly unsafe struct WinogradSums(Tile.Kernel[] tiles, WinogradShape shape, Affine x, float* dy)
{
    public WinogradShape Shape => shape;

    /// <summary>V and D of a run of tiles: <c>[position][tile][channel]</c> at the given distances of positions.</summary>
    public void Transform(int first, int count, float* v, nint vStep, float* d, nint dStep, float* patch)
    {
        WinogradPatch.Transform(x, shape, first, count, v, vStep, patch);
        for (int block = 0; block < shape.OutputBlocks; block++)
            for (int i = 0; i < count; i++)
            {
                WinogradPatch.LoadOutputs(dy, block, shape.OutputBlocks, shape, shape.Place(first + i), patch);
                WinogradTransform.OutputAdjoint(patch, patch + 16 * Blocks.Size, d + (nint)i * shape.Outputs + block * Blocks.Size, dStep);
            }
    }

    /// <summary>sums[inputs, outputs] (+)= Vᵀ·D for one position.</summary>
    public void Multiply(float* v, float* d, int count, bool accumulate, float* sums)
    {
        nint zero = 0;
        for (int block = 0; block < shape.OutputBlocks;)
        {
            var panel = Columns.PanelOf(block, shape.OutputBlocks);
            ref readonly var tile = ref RowOfTiles.Pick(tiles, panel.Blocks, Blocks.Size);
            for (int j = block; j < block + panel.Blocks; j += tile.Blocks)
                for (int i = 0; i < shape.Inputs; i += tile.Rows)
                    tile.Run(v + i, 1, shape.Inputs, &zero, 1, count, d + j * Blocks.Size, shape.Outputs,
                        sums + (nint)i * shape.Outputs + j * Blocks.Size, shape.Outputs, accumulate);
            block += panel.Blocks;
        }
    }
}

/// <summary>One fixed share of all tiles, summed for all positions in the worker's own memory.</summary>
internal readonly unsafe struct WinogradShareJob(WinogradSums stages, float* sums, long sum) : IJob
{
    public const int Shares = 8;
    public const int Tiles = 24;

    public void Run(int index, Worker worker)
    {
        var shape = stages.Shape;
        nint vStep = WinogradShape.Step(Tiles, shape.Inputs), dStep = WinogradShape.Step(Tiles, shape.Outputs);
        float* v = worker.Scratch(0, WinogradTransform.Positions * vStep);
        float* d = worker.Scratch(1, WinogradTransform.Positions * dStep);
        float* patch = worker.Scratch(2, 40 * Blocks.Size);
        int begin = (int)((long)shape.TileCount * index / Shares), end = (int)((long)shape.TileCount * (index + 1) / Shares);
        for (int first = begin; first < end; first += Tiles)
        {
            int count = Math.Min(Tiles, end - first);
            stages.Transform(first, count, v, vStep, d, dStep, patch);
            for (int p = 0; p < WinogradTransform.Positions; p++)
                stages.Multiply(v + p * vStep, d + p * dStep, count, first > begin, sums + index * sum + p * WinogradShape.FilterStep(shape.Inputs, shape.Outputs));
        }
    }
}

/// <summary>Transforms some tiles of a chunk that all workers share.</summary>
internal readonly unsafe struct WinogradTransformJob(WinogradSums stages, int first, int count, float* v, nint vStep, float* d, nint dStep) : IJob
{
    public const int Tiles = 16;

    public void Run(int index, Worker worker)
    {
        float* patch = worker.Scratch(2, 40 * Blocks.Size);
        int at = index * Tiles;
        stages.Transform(first + at, Math.Min(Tiles, count - at), v + (nint)at * stages.Shape.Inputs, vStep,
            d + (nint)at * stages.Shape.Outputs, dStep, patch);
    }
}

/// <summary>One position's product over a chunk.</summary>
internal readonly unsafe struct WinogradPositionJob(WinogradSums stages, int count, float* v, nint vStep, float* d, nint dStep,
    bool accumulate, float* sums) : IJob
{
    public void Run(int index, Worker worker) =>
        stages.Multiply(v + index * vStep, d + index * dStep, count, accumulate,
            sums + index * WinogradShape.FilterStep(stages.Shape.Inputs, stages.Shape.Outputs));
}

/// <summary>Adds the shares of sixteen filters and transforms them back to 3×3.</summary>
internal readonly unsafe struct WinogradUnpackJob(WinogradShape shape, float* sums, long sum, int shares, int c, int k, bool accumulate, float* dw) : IJob
{
    public void Run(int index, Worker worker)
    {
        float* u = worker.Scratch(2, 64 * Blocks.Size), temp = u + 36 * Blocks.Size, g = temp + 18 * Blocks.Size;
        for (int i = 0; i < c; i++)
        {
            for (int p = 0; p < WinogradTransform.Positions; p++)
                Total(WinogradShape.FilterStep(shape.Inputs, shape.Outputs) * p + (long)i * shape.Outputs + index * Blocks.Size).Store(u + p * Blocks.Size);
            WinogradTransform.FilterAdjoint(u, temp, g);
            Scatter(g, i, index * Blocks.Size);
        }
    }

    private Vec Total(long at)
    {
        Vec total = Vector512.Load(sums + at);
        for (int share = 1; share < shares; share++) total += Vector512.Load(sums + share * sum + at);
        return total;
    }

    private void Scatter(float* g, int channel, int firstFilter)
    {
        for (int lane = 0; lane < Math.Min(Blocks.Size, k - firstFilter); lane++)
        {
            float* to = dw + ((long)(firstFilter + lane) * c + channel) * 9;
            for (int tap = 0; tap < 9; tap++) to[tap] = g[tap * Blocks.Size + lane] + (accumulate ? to[tap] : 0);
        }
    }
}
