using ILGPU;

namespace Rpat.Engine.Gpu.Kernels;

/// <summary>x, and the gradient at the input of the view's ReLU: g = dh·[h &gt; 0].</summary>
internal readonly struct NormGate<S>(Quads<S> x, Quads<S> dh, ArrayView<V4> scale, ArrayView<V4> shift, int relu)
    where S : struct, IStorage
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V4 X(int i) => x.Load(i);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V4 Gradient(int i, int quad)
    {
        V4 g = dh.Load(i);
        return relu != 0 ? g.Where(scale[quad] * x.Load(i) + shift[quad]) : g;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V4 Scale(int quad) => scale[quad];
}

/// <summary>Σg and Σg·x̂ of a chunk.</summary>
internal readonly struct ChunkGradients<S>(
    NormGate<S> gate, ArrayView<V4> mean, ArrayView<V4> invStd, Chunks chunks, ArrayView<V4> partial) : IKernel where S : struct, IStorage
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        ArrayView<V4> shared = SharedMemory.Allocate<V4>(RowSums.Shared);
        int quad = Grid.IdxX * Chunks.GroupQuads + Group.IdxX % Chunks.GroupQuads, row = Group.IdxX / Chunks.GroupQuads;
        int first = Grid.IdxY * chunks.Length, left = chunks.Pixels - first, length = left < chunks.Length ? left : chunks.Length;
        bool exists = quad < chunks.Quads;
        V4 center = exists ? mean[quad] : new V4(0), sum = new(0), product = new(0);
        for (int i = row; i < length && exists; i += Chunks.GroupRows)
        {
            int at = (first + i) * chunks.Quads + quad;
            V4 g = gate.Gradient(at, quad);
            sum += g;
            product += g * (gate.X(at) - center);
        }
        RowSums.Add(shared, sum, product);
        if (row != 0 || !exists) return;
        partial[2 * Grid.IdxY * chunks.Quads + quad] = shared[Group.IdxX];
        partial[(2 * Grid.IdxY + 1) * chunks.Quads + quad] = invStd[quad] * RowSums.Second(shared);
    }
}

/// <summary>
/// Combines the chunks of a channel, one warp per channel: dβ, dγ, and dx = scale·g + slope·x + offset, with the mean terms folded into two
/// numbers.
/// </summary>
internal readonly struct FinishGradients(ArrayView<float> partial, Chunks chunks, int channels, ArrayView<float> mean,
    ArrayView<float> invStd,
    ArrayView<float> scale, int batchStatistics, ArrayView<float> gamma, ArrayView<float> beta, int addParameters, ArrayView<float> linear)
        : IKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        int padded = 4 * chunks.Quads, c = Reduce.Item, lane = Group.IdxX % Reduce.WarpSize;
        if (c >= padded) return;
        double sum = 0, product = 0;
        for (int i = lane; i < chunks.Count; i += Reduce.WarpSize)
        {
            sum += partial[2 * i * padded + c];
            product += partial[(2 * i + 1) * padded + c];
        }
        sum = Reduce.WarpSum(sum);
        product = Reduce.WarpSum(product);
        if (lane != 0) return;
        if (c < channels) Put(beta, c, sum);
        if (c < channels) Put(gamma, c, product);
        double s = batchStatistics != 0 ? scale[c] : 0, slope = -s * invStd[c] * product / chunks.Pixels;
        linear[c] = (float)slope;
        linear[padded + c] = (float)(-s * sum / chunks.Pixels - slope * mean[c]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Put(ArrayView<float> to, int c, double value)
    {
        if (to.Length > 0) to[c] = addParameters != 0 ? to[c] + (float)value : (float)value;
    }
}

/// <summary>dx (+)= scale·g + slope·x + offset.</summary>
internal readonly struct NormGradient<S>(NormGate<S> gate, ArrayView<V4> linear, int quads, int accumulate, Quads<S> dx) : IKernel
    where S : struct, IStorage
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX, quad = i % quads;
        if (i >= dx.Count) return;
        V4 v = gate.Scale(quad) * gate.Gradient(i, quad) + (linear[quad] * gate.X(i) + linear[quads + quad]);
        dx.Put(i, v, accumulate);
    }
}
