using ILGPU;
using ILGPU.Runtime;

namespace Rpat.Engine.Gpu.Kernels;

/// <summary>Depthwise convolution is bound by memory: one thread per quad of results, with loads that adjacent threads share.</summary>
internal sealed partial class GpuKernels : IDepthwiseConv2dKernels
{
    public void DepthwiseForward(in DepthwiseShape s, in Operand x, DeviceBuffer w, DeviceBuffer y) =>
        ForEach(ActivationQuads(s.Output), new DepthwiseQuad(new DepthwiseTaps(s), x.Source(), w.Floats(), y.Quads()));

    public void DepthwiseInputGradient(in DepthwiseShape s, DeviceBuffer dy, DeviceBuffer w, in Operand through, bool accumulate,
        DeviceBuffer dx) =>
        ForEach(ActivationQuads(s.Input), new DepthwiseInputQuad(
            new DepthwiseTaps(s), dy.Quads(), w.Floats(), through.Source(), accumulate ? 1 : 0, dx.Quads()));

    public void DepthwiseWeightGradient(in DepthwiseShape s, in Operand x, DeviceBuffer dy, bool accumulate, DeviceBuffer dw)
    {
        var chunks = Chunks.Of(s.Output);
        int taps = s.R * s.R;
        var partial = _scratch.Quads(ScratchSlot.Partial, (long)taps * chunks.Count * chunks.Quads);
        var grid = new Index3D(chunks.Grid.GridDim.X, chunks.Count, Ceiling(taps, DepthwiseWeights.TapsOfGroup));
        Launch(new KernelConfig(grid, chunks.Grid.GroupDim),
            new DepthwiseWeights(new DepthwiseTaps(s), x.Source(), dy.Quads(), chunks, partial));
        ForEachWarp(taps * 4 * chunks.Quads, new FinishSums(
            partial.Cast<float>(), chunks.Count, taps, s.Input.C, 4 * chunks.Quads, accumulate ? 1 : 0, dw.Floats()));
    }
}

/// <summary>Sizes of a depthwise convolution, and the arithmetic of its taps; w is <c>[C][R][R]</c>.</summary>
internal readonly struct DepthwiseTaps
{
    private readonly int _channels, _h, _w, _p, _q, _stride, _padding;

    public DepthwiseTaps(in DepthwiseShape s)
    {
        _channels = s.Input.C;
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

    /// <summary>Index of the input quad that a tap of an output quad reads, or −1 in the padding.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int InputOf(int output, int tapY, int tapX)
    {
        int pixel = output / Quads, row = pixel / _q, image = row / _p;
        int y = (row - image * _p) * _stride - _padding + tapY, x = (pixel - row * _q) * _stride - _padding + tapX;
        bool inside = (uint)y < (uint)_h && (uint)x < (uint)_w;
        return inside ? ((image * _h + y) * _w + x) * Quads + output - pixel * Quads : -1;
    }

    /// <summary>Index of the output quad whose tap reads an input quad, or −1 if none does.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int OutputOf(int input, int tapY, int tapX)
    {
        int pixel = input / Quads, row = pixel / _w, image = row / _h;
        int y = row - image * _h + _padding - tapY, x = pixel - row * _w + _padding - tapX;
        int p = y / _stride, q = x / _stride;
        bool meets = y >= 0 && x >= 0 && p * _stride == y && q * _stride == x && p < _p && q < _q;
        return meets ? ((image * _p + p) * _q + q) * Quads + input - pixel * Quads : -1;
    }

    /// <summary>A tap's weights of four channels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V4 Weights(ArrayView<float> w, int quad, int tapY, int tapX)
    {
        int c = 4 * quad, taps = Kernel * Kernel, at = c * taps + tapY * Kernel + tapX;
        return new V4(
            w[at], c + 1 < _channels ? w[at + taps] : 0, c + 2 < _channels ? w[at + 2 * taps] : 0,
            c + 3 < _channels ? w[at + 3 * taps] : 0);
    }
}

/// <summary>y = x ⋆ w.</summary>
internal readonly struct DepthwiseQuad(DepthwiseTaps taps, Source x, ArrayView<float> w, ArrayView<V4> y) : IKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX, quad = i % taps.Quads;
        if (i >= y.IntLength) return;
        V4 sum = new(0);
        for (int r = 0; r < taps.Kernel; r++)
            for (int s = 0; s < taps.Kernel; s++)
            {
                int from = taps.InputOf(i, r, s);
                if (from >= 0) sum += taps.Weights(w, quad, r, s) * x.Load(from, quad);
            }
        y[i] = sum;
    }
}

/// <summary>dx (+)= d·(dy ⋆ᵀ w).</summary>
internal readonly struct DepthwiseInputQuad(
    DepthwiseTaps taps, ArrayView<V4> dy, ArrayView<float> w, Source through, int accumulate, ArrayView<V4> dx) : IKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX, quad = i % taps.Quads;
        if (i >= dx.IntLength) return;
        V4 sum = new(0);
        for (int r = 0; r < taps.Kernel; r++)
            for (int s = 0; s < taps.Kernel; s++)
            {
                int from = taps.OutputOf(i, r, s);
                if (from >= 0) sum += taps.Weights(w, quad, r, s) * dy[from];
            }
        V4 v = through.Backward(sum, i, quad);
        dx[i] = accumulate != 0 ? dx[i] + v : v;
    }
}

/// <summary>Sums of two taps over a chunk of output pixels, <c>[taps][chunks][quads]</c>. Grid: quads × chunks × pairs of taps.</summary>
internal readonly struct DepthwiseWeights(DepthwiseTaps taps, Source x, ArrayView<V4> dy, Chunks chunks, ArrayView<V4> partial) : IKernel
{
    public const int TapsOfGroup = 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        ArrayView<V4> shared = SharedMemory.Allocate<V4>(RowSums.Shared);
        int quad = Grid.IdxX * Chunks.GroupQuads + Group.IdxX % Chunks.GroupQuads, row = Group.IdxX / Chunks.GroupQuads;
        int first = Grid.IdxY * chunks.Length, left = chunks.Pixels - first, length = left < chunks.Length ? left : chunks.Length;
        int tap = TapsOfGroup * Grid.IdxZ;
        bool exists = quad < chunks.Quads;
        V4 sum = new(0), next = new(0);
        for (int i = row; i < length && exists; i += Chunks.GroupRows)
        {
            int at = (first + i) * chunks.Quads + quad;
            V4 g = dy[at];
            sum += g * Input(at, tap, quad);
            next += g * Input(at, tap + 1, quad);
        }
        RowSums.Add(shared, sum, next);
        if (row != 0 || !exists) return;
        int to = (tap * chunks.Count + Grid.IdxY) * chunks.Quads + quad;
        partial[to] = shared[Group.IdxX];
        if (tap + 1 < taps.Kernel * taps.Kernel) partial[to + chunks.Count * chunks.Quads] = RowSums.Second(shared);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private V4 Input(int output, int tap, int quad)
    {
        int r = tap / taps.Kernel, from = taps.InputOf(output, r, tap - r * taps.Kernel);
        return from >= 0 ? x.Load(from, quad) : new V4(0);
    }
}
