using ILGPU;

namespace Rpat.Engine.Gpu.Kernels;

internal sealed partial class GpuKernels<S> : IChannelBiasKernels
{
    public void ChannelBias(Shape shape, in Operand x, DeviceBuffer bias, DeviceBuffer y) =>
        ForEach(ActivationQuads(shape), new BiasQuad<S>(
            x.Source<S>(), bias.Floats(), shape.C, ChannelQuads(shape.C), y.Stored<S>()));

    public void ChannelBiasGradient(Shape shape, DeviceBuffer dy, bool accumulate, DeviceBuffer dbias)
    {
        var chunks = Chunks.Of(shape);
        var partial = _scratch.Quads(ScratchSlot.Partial, (long)chunks.Count * chunks.Quads);
        Launch(chunks.Grid, new ChunkSums<S>(dy.Stored<S>(), chunks, partial));
        ForEachWarp(4 * chunks.Quads, new FinishSums(
            partial.Cast<float>(), chunks.Count, 1, shape.C, 4 * chunks.Quads, accumulate ? 1 : 0, dbias.Floats()));
    }
}

/// <summary>y = x + bias, the view of x applied.</summary>
internal readonly struct BiasQuad<S>(Source<S> x, ArrayView<float> bias, int channels, int quads, Quads<S> y) : IKernel
    where S : struct, IStorage
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX, quad = i % quads, c = 4 * quad;
        if (i >= y.Count) return;
        var b = new V4(bias[c], c + 1 < channels ? bias[c + 1] : 0, c + 2 < channels ? bias[c + 2] : 0, c + 3 < channels ? bias[c + 3] : 0);
        y.Store(i, x.Load(i, quad) + b);
    }
}

/// <summary>Σ over the pixels of a chunk; each thread adds its pixels alternately to two sums.</summary>
internal readonly struct ChunkSums<S>(Quads<S> x, Chunks chunks, ArrayView<V4> partial) : IKernel where S : struct, IStorage
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        ArrayView<V4> shared = SharedMemory.Allocate<V4>(RowSums.Shared);
        int quad = Grid.IdxX * Chunks.GroupQuads + (Group.IdxX & Chunks.GroupQuads - 1), row = Group.IdxX / Chunks.GroupQuads;
        int first = Grid.IdxY * chunks.Length, left = chunks.Pixels - first, length = left < chunks.Length ? left : chunks.Length;
        bool exists = quad < chunks.Quads;
        V4 even = new(0), odd = new(0);
        for (int i = row; i < length && exists; i += 2 * Chunks.GroupRows)
        {
            even += x.Load((first + i) * chunks.Quads + quad);
            if (i + Chunks.GroupRows < length) odd += x.Load((first + i + Chunks.GroupRows) * chunks.Quads + quad);
        }
        RowSums.Add(shared, even, odd);
        if (row == 0 && exists) partial[Grid.IdxY * chunks.Quads + quad] = shared[Group.IdxX] + RowSums.Second(shared);
    }
}

/// <summary>
/// Adds sums <c>[taps][chunks][padded channels]</c> over the chunks in double precision, one warp per sum, and stores them as
/// <c>[channels][taps]</c>.
/// </summary>
internal readonly struct FinishSums(
    ArrayView<float> partial, int chunks, int taps, int channels, int padded, int accumulate, ArrayView<float> to) : IKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        int item = Reduce.Item, lane = Group.IdxX % Reduce.WarpSize;
        int tap = item / padded, c = item - tap * padded, at = c * taps + tap;
        if (tap >= taps || c >= channels) return;
        double sum = 0;
        for (int i = lane; i < chunks; i += Reduce.WarpSize) sum += partial[(tap * chunks + i) * padded + c];
        sum = Reduce.WarpSum(sum);
        if (lane == 0) to[at] = accumulate != 0 ? to[at] + (float)sum : (float)sum;
    }
}
