using ILGPU;

namespace Rpat.Engine.Gpu.Kernels;

/// <summary>Sums two quads per thread over the 16 rows of a group, in fixed order.</summary>
internal static class RowSums
{
    private const int Threads = Chunks.GroupQuads * Chunks.GroupRows;

    /// <summary>Shared quads that <see cref="Add"/> needs.</summary>
    public const int Shared = 2 * Threads;

    /// <summary>Leaves the sums at [thread] and [Threads + thread] of the first row's threads.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Add(ArrayView<V4> shared, V4 first, V4 second)
    {
        int i = Group.IdxX;
        shared[i] = first;
        shared[Threads + i] = second;
        Group.Barrier();
        for (int half = Threads / 2; half >= Chunks.GroupQuads; half >>= 1)
        {
            if (i < half)
            {
                shared[i] += shared[i + half];
                shared[Threads + i] += shared[Threads + i + half];
            }
            Group.Barrier();
        }
    }

    /// <summary>The second sum of a thread of the first row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V4 Second(ArrayView<V4> shared) => shared[Threads + Group.IdxX];
}

/// <summary>Mean and squared deviations of a chunk, relative to its first pixel, so that no digits are lost to a large mean.</summary>
internal readonly struct ChunkMoments<S>(Quads<S> x, Chunks chunks, ArrayView<V4> partial) : IKernel where S : struct, IStorage
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        ArrayView<V4> shared = SharedMemory.Allocate<V4>(RowSums.Shared);
        int quad = Grid.IdxX * Chunks.GroupQuads + Group.IdxX % Chunks.GroupQuads, row = Group.IdxX / Chunks.GroupQuads;
        int first = Grid.IdxY * chunks.Length, left = chunks.Pixels - first, length = left < chunks.Length ? left : chunks.Length;
        bool exists = quad < chunks.Quads;
        V4 anchor = exists ? x.Load(first * chunks.Quads + quad) : new V4(0), sum = new(0), square = new(0);
        for (int i = row; i < length && exists; i += Chunks.GroupRows)
        {
            V4 d = x.Load((first + i) * chunks.Quads + quad) - anchor;
            sum += d;
            square += d * d;
        }
        RowSums.Add(shared, sum, square);
        if (row != 0 || !exists) return;
        V4 mean = 1f / length * shared[Group.IdxX];
        partial[2 * Grid.IdxY * chunks.Quads + quad] = anchor + mean;
        partial[(2 * Grid.IdxY + 1) * chunks.Quads + quad] = RowSums.Second(shared) - mean * shared[Group.IdxX];
    }
}

/// <summary>The vectors of a batch norm; the first four have <paramref name="channels"/> values, the others are padded to quads.</summary>
internal readonly struct NormVectors(int channels, ArrayView<float> gamma, ArrayView<float> beta, ArrayView<float> runningMean,
    ArrayView<float> runningVar, ArrayView<float> mean, ArrayView<float> invStd, ArrayView<float> scale, ArrayView<float> shift,
    float epsilon, float momentum)
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Has(int c) => c < channels;

    /// <summary>Stores the results of the statistics; zeros in the padding.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Set(int c, double m, double variance)
    {
        bool exists = Has(c);
        double i = exists ? 1 / Math.Sqrt(variance + epsilon) : 0, g = exists ? gamma[c] * i : 0;
        mean[c] = exists ? (float)m : 0;
        invStd[c] = (float)i;
        scale[c] = (float)g;
        shift[c] = exists ? (float)(beta[c] - g * m) : 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void SetFromRunning(int c)
    {
        if (c < mean.IntLength) Set(c, Has(c) ? runningMean[c] : 0, Has(c) ? runningVar[c] : 0);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Move(int c, double m, double unbiasedVariance)
    {
        double share = momentum;
        runningMean[c] = (float)((1 - share) * runningMean[c] + share * m);
        runningVar[c] = (float)((1 - share) * runningVar[c] + share * unbiasedVariance);
    }
}

/// <summary>Combines the chunks of a channel, one warp per channel: the mean of the means, then the deviations from it.</summary>
internal readonly struct FinishMoments(ArrayView<float> partial, Chunks chunks, NormVectors norm, int moveRunning) : IKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        int c = Reduce.Item, lane = Group.IdxX % Reduce.WarpSize;
        if (c >= 4 * chunks.Quads) return;
        double sum = 0, squares = 0;
        for (int i = lane; i < chunks.Count; i += Reduce.WarpSize) sum += (double)Length(i) * Mean(i, c);
        double mean = Reduce.WarpSum(sum) / chunks.Pixels;
        for (int i = lane; i < chunks.Count; i += Reduce.WarpSize)
        {
            double d = Mean(i, c) - mean;
            squares += Deviations(i, c) + Length(i) * d * d;
        }
        squares = Reduce.WarpSum(squares);
        if (lane != 0) return;
        norm.Set(c, mean, squares / chunks.Pixels);
        if (moveRunning != 0 && norm.Has(c)) norm.Move(c, mean, squares / (chunks.Pixels - 1));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int Length(int chunk)
    {
        int left = chunks.Pixels - chunk * chunks.Length;
        return left < chunks.Length ? left : chunks.Length;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private double Mean(int chunk, int c) => partial[2 * chunk * 4 * chunks.Quads + c];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private double Deviations(int chunk, int c) => partial[(2 * chunk + 1) * 4 * chunks.Quads + c];
}

/// <summary>The affine map of the running statistics.</summary>
internal readonly struct EvalAffine(NormVectors norm) : IKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run() => norm.SetFromRunning(Grid.IdxX * Group.DimX + Group.IdxX);
}
