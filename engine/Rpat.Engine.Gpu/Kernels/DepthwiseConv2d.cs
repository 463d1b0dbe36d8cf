using ILGPU;
using ILGPU.Runtime;

namespace Rpat.Engine.Gpu.Kernels;

/// <summary>Depthwise convolution is bound by memory: one thread per quad of results, with loads that adjacent threads share.</summary>
internal sealed partial class GpuKernels<S> : IDepthwiseConv2dKernels
{
    public void DepthwiseForward(in DepthwiseShape s, in Operand x, DeviceBuffer w, DeviceBuffer y) =>
        ForEach(ActivationQuads(s.Output), new DepthwiseQuad<S>(new DepthwiseTaps(s), x.Source<S>(), Taps(s, w), y.Stored<S>()));

    public void DepthwiseInputGradient(in DepthwiseShape s, DeviceBuffer dy, DeviceBuffer w, in Operand through, bool accumulate,
        DeviceBuffer dx) =>
        ForEach(ActivationQuads(s.Input), new DepthwiseInputQuad<S>(
            new DepthwiseTaps(s), dy.Stored<S>(), Taps(s, w), through.Source<S>(), accumulate ? 1 : 0, dx.Stored<S>()));

    /// <summary>The weights of each tap in quads of channels.</summary>
    private ArrayView<V4> Taps(in DepthwiseShape s, DeviceBuffer w)
    {
        var taps = _scratch.Quads(ScratchSlot.Weights, (long)s.R * s.R * ChannelQuads(s.Input.C));
        ForEach(taps.Length, new PackTaps(w.Floats(), s.Input.C, s.R * s.R, ChannelQuads(s.Input.C), taps));
        return taps;
    }

    public void DepthwiseWeightGradient(in DepthwiseShape s, in Operand x, DeviceBuffer dy, bool accumulate, DeviceBuffer dw)
    {
        var chunks = Chunks.Of(s.Output);
        int taps = s.R * s.R;
        var partial = _scratch.Quads(ScratchSlot.Partial, (long)taps * chunks.Count * chunks.Quads);
        var grid = new Index3D(chunks.Grid.GridDim.X, chunks.Count, Ceiling(taps, DepthwiseWeights<S>.TapsOfGroup));
        Launch(new KernelConfig(grid, chunks.Grid.GroupDim),
            new DepthwiseWeights<S>(new DepthwiseTaps(s), x.Source<S>(), dy.Stored<S>(), chunks, partial));
        ForEachWarp(taps * 4 * chunks.Quads, new FinishSums(
            partial.Cast<float>(), chunks.Count, taps, s.Input.C, 4 * chunks.Quads, accumulate ? 1 : 0, dw.Floats()));
    }
}

/// <summary>Sizes of a depthwise convolution, and what its taps read; w is <c>[C][R][R]</c>.</summary>
internal readonly struct DepthwiseTaps
{
    private readonly Gather _gather;
    private readonly int _h, _w, _p, _q, _stride, _padding;

    public DepthwiseTaps(in DepthwiseShape s)
    {
        _gather = Gather.Forward(new ConvShape(s.Input, Layout.Blocked, s.Input.C, s.R, s.Stride, s.Padding)).InStrides(Chunks.GroupRows);
        _h = s.Input.H;
        _w = s.Input.W;
        _p = s.P;
        _q = s.Q;
        _stride = s.Stride;
        _padding = s.Padding;
        Kernel = s.R;
        Quads = GpuKernels.ChannelQuads(s.Input.C);
    }

    /// <summary>Rows of a filter.</summary>
    public readonly int Kernel;

    /// <summary>Quads of a pixel.</summary>
    public readonly int Quads;

    /// <summary>Output pixels, and what they read.</summary>
    public Gather Gather
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => _gather;
    }

    /// <summary>Σ over the taps of an output quad; all threads of a warp call it, with a quad that exists or not.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V4 Forward<S>(int output, Source<S> x, ArrayView<V4> w, bool exists) where S : struct, IStorage
    {
        int pixel = output / Quads, quad = Pin.Here(output - pixel * Quads);
        Window window = _gather.WindowOf(_gather.PixelAt(pixel), exists).Pinned;
        V4 sum = new(0);
        for (int r = 0; r < Kernel; r++)
            for (int s = 0; s < Kernel; s++)
            {
                int from = _gather.SourcePixel(window, r, s);
                if (from >= 0) sum += Weights(w, quad, r, s) * x.Load(from * Quads + quad, quad);
            }
        return sum;
    }

    /// <summary>Σ over the taps that read an input quad; called as <see cref="Forward"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V4 Backward<S>(int input, Quads<S> dy, ArrayView<V4> w, bool exists) where S : struct, IStorage
    {
        int pixel = input / Quads, quad = Pin.Here(input - pixel * Quads), row = pixel / _w, image = row / _h;
        int y = row - image * _h + _padding, x = pixel - row * _w + _padding;
        int first = Pin.Here(image * _p), lastP = Pin.Here(y / _stride), lastQ = Pin.Here(x / _stride);
        int firstR = Pin.Here(y - y / _stride * _stride), firstS = Pin.Here(x - x / _stride * _stride);
        V4 sum = new(0);
        if (!exists) return sum;
        for (int r = firstR, p = lastP; r < Kernel; r += _stride, p--)
            for (int s = firstS, q = lastQ; s < Kernel; s += _stride, q--)
                if ((uint)p < (uint)_p && (uint)q < (uint)_q)
                    sum += Weights(w, quad, r, s) * dy.Load(((first + p) * _q + q) * Quads + quad);
        return sum;
    }

    /// <summary>A tap's weights of four channels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private V4 Weights(ArrayView<V4> w, int quad, int tapY, int tapX) => w[(tapY * Kernel + tapX) * Quads + quad];
}

/// <summary>Weights <c>[C][taps]</c> as <c>[taps][quads]</c>, zeros in the padding.</summary>
internal readonly struct PackTaps(ArrayView<float> w, int channels, int taps, int quads, ArrayView<V4> to) : IKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX, tap = i / quads, c = 4 * (i - tap * quads), at = c * taps + tap;
        if (i >= to.IntLength) return;
        to[i] = new V4(
            w[at], c + 1 < channels ? w[at + taps] : 0, c + 2 < channels ? w[at + 2 * taps] : 0,
            c + 3 < channels ? w[at + 3 * taps] : 0);
    }
}

/// <summary>y = x ⋆ w.</summary>
internal readonly struct DepthwiseQuad<S>(DepthwiseTaps taps, Source<S> x, ArrayView<V4> w, Quads<S> y) : IKernel
    where S : struct, IStorage
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX;
        V4 sum = taps.Forward(i, x, w, i < y.Count);
        if (i < y.Count) y.Store(i, sum);
    }
}

/// <summary>dx (+)= d·(dy ⋆ᵀ w).</summary>
internal readonly struct DepthwiseInputQuad<S>(
    DepthwiseTaps taps, Quads<S> dy, ArrayView<V4> w, Source<S> through, int accumulate, Quads<S> dx) : IKernel
    where S : struct, IStorage
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX;
        V4 sum = taps.Backward(i, dy, w, i < dx.Count);
        if (i < dx.Count) dx.Put(i, through.Backward(sum, i, i % taps.Quads), accumulate);
    }
}

/// <summary>Sums of two taps over a chunk of output pixels, <c>[taps][chunks][quads]</c>. Grid: quads × chunks × pairs of taps.</summary>
internal readonly struct DepthwiseWeights<S>(DepthwiseTaps taps, Source<S> x, Quads<S> dy, Chunks chunks, ArrayView<V4> partial) : IKernel
    where S : struct, IStorage
{
    public const int TapsOfGroup = 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        ArrayView<V4> shared = SharedMemory.Allocate<V4>(RowSums.Shared);
        int quad = Grid.IdxX * Chunks.GroupQuads + (Group.IdxX & Chunks.GroupQuads - 1), row = Group.IdxX / Chunks.GroupQuads;
        int first = Grid.IdxY * chunks.Length, left = chunks.Pixels - first, length = left < chunks.Length ? left : chunks.Length;
        int tap = TapsOfGroup * Grid.IdxZ, r = Pin.Here(tap / taps.Kernel), nextR = Pin.Here((tap + 1) / taps.Kernel);
        bool exists = quad < chunks.Quads;
        V4 sum = new(0), next = new(0);
        PixelCursor pixel = taps.Gather.PixelAt(first + row);
        for (int i = row; i < length && exists; i += Chunks.GroupRows)
        {
            V4 g = dy.Load((first + i) * chunks.Quads + quad);
            Window window = taps.Gather.WindowOf(pixel, true);
            sum += g * Input(window, r, tap - r * taps.Kernel, quad);
            next += g * Input(window, nextR, tap + 1 - nextR * taps.Kernel, quad);
            pixel = taps.Gather.Advance(pixel);
        }
        RowSums.Add(shared, sum, next);
        if (row != 0 || !exists) return;
        int to = (tap * chunks.Count + Grid.IdxY) * chunks.Quads + quad;
        partial[to] = shared[Group.IdxX];
        if (tap + 1 < taps.Kernel * taps.Kernel) partial[to + chunks.Count * chunks.Quads] = RowSums.Second(shared);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private V4 Input(Window window, int tapY, int tapX, int quad)
    {
        int from = taps.Gather.SourcePixel(window, tapY, tapX);
        return from >= 0 ? x.Load(from * taps.Quads + quad, quad) : new V4(0);
    }
}
