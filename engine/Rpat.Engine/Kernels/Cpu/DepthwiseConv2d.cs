namespace Rpat.Engine.Kernels.Cpu;

/// <summary>
/// Depthwise convolution: 16 channels of an image at a time, every tap one multiply-add of 16 lanes. A plane is first copied with its zero
/// border, so that the inner loops need no edge cases. The input gradient is the same correlation of dy, dilated by the stride, with the
/// filters rotated by 180°.
/// </summary>
internal unsafe partial class CpuKernels : IDepthwiseConv2dKernels
{
    private const int DepthwiseFilters = 6; // slot of the caller's scratch that the items do not use

    public void DepthwiseForward(in DepthwiseShape s, in Operand x, DeviceBuffer w, DeviceBuffer y)
    {
        float* taps = _pool.Caller.Scratch(DepthwiseFilters, DepthwisePlane.TapFloats(s));
        DepthwisePlane.PackTaps(s, w.Floats(), turned: false, taps);
        _pool.Run(new DepthwiseForwardPlane(s, new Affine(x), taps, y.Floats()), s.Input.N * Blocks.Count(s.Input.C));
    }

    public void DepthwiseInputGradient(in DepthwiseShape s, DeviceBuffer dy, DeviceBuffer w, in Operand through, bool accumulate,
        DeviceBuffer dx)
    {
        float* taps = _pool.Caller.Scratch(DepthwiseFilters, DepthwisePlane.TapFloats(s));
        DepthwisePlane.PackTaps(s, w.Floats(), turned: true, taps);
        float* add = accumulate ? dx.Floats() : null;
        var epilogue = new Epilogue(dx.Floats(), add, new Affine(through));
        _pool.Run(new DepthwiseInputPlane(s, dy.Floats(), taps, epilogue), s.Input.N * Blocks.Count(s.Input.C));
    }

    public void DepthwiseWeightGradient(in DepthwiseShape s, in Operand x, DeviceBuffer dy, bool accumulate, DeviceBuffer dw)
    {
        long planes = (long)s.Input.N * Blocks.Count(s.Input.C), taps = (long)s.R * s.R * Blocks.Size;
        float* partial = _pool.Caller.Scratch(DepthwiseFilters, planes * taps);
        _pool.Run(new DepthwiseWeightPlane(s, new Affine(x), dy.Floats(), partial), (int)planes);
        _pool.Run(new DepthwiseWeightSum(s, partial, accumulate, dw.Floats()), Blocks.Count(s.Input.C));
    }
}

/// <summary>Shared by the passes: filters by tap, and rows of output pixels.</summary>
internal static unsafe class DepthwisePlane
{
    public static long TapFloats(in DepthwiseShape s) => (long)Blocks.Count(s.Input.C) * s.R * s.R * Blocks.Size;

    /// <summary><c>[C, 1, R, R]</c> to <c>[blocks][R·R][16]</c>, zeros after the last channel.</summary>
    public static void PackTaps(in DepthwiseShape s, float* w, bool turned, float* to)
    {
        int taps = s.R * s.R, padded = Blocks.Count(s.Input.C) * Blocks.Size;
        for (int c = 0; c < padded; c++)
        {
            float* lane = to + (long)(c / Blocks.Size) * taps * Blocks.Size + c % Blocks.Size;
            for (int t = 0; t < taps; t++)
                lane[t * Blocks.Size] = c < s.Input.C ? w[(long)c * taps + (turned ? taps - 1 - t : t)] : 0;
        }
    }

    /// <summary>
    /// One row of results: <paramref name="x"/> is the window's first pixel, <paramref name="line"/> the number of floats per row.
    /// </summary>
    public static void Row(float* x, nint line, int stride, float* taps, int r, int count, float* to)
    {
        nint step = stride * Blocks.Size;
        int i = 0;
        for (; count - i >= 6 && count - i != 8; i += 6) Six(x + i * step, line, step, taps, r, to + i * Blocks.Size);
        for (; count - i >= 4; i += 4) Four(x + i * step, line, step, taps, r, to + i * Blocks.Size);
        for (; i < count; i++) One(x + i * step, line, taps, r, to + i * Blocks.Size);
    }

    // Leaf methods, so that the sums stay in registers: six of 16 lanes are twelve of AVX2's.
    private static void Six(float* x, nint line, nint step, float* taps, int r, float* to)
    {
        Vec a = Vec.Zero, b = Vec.Zero, c = Vec.Zero, d = Vec.Zero, e = Vec.Zero, f = Vec.Zero;
        for (int i = 0; i < r; i++, x += line)
            for (int j = 0; j < r; j++, taps += Blocks.Size)
            {
                float* at = x + j * Blocks.Size;
                Vec w = Vector512.Load(taps);
                a = Vector512.MultiplyAddEstimate(w, Vector512.Load(at), a);
                b = Vector512.MultiplyAddEstimate(w, Vector512.Load(at += step), b);
                c = Vector512.MultiplyAddEstimate(w, Vector512.Load(at += step), c);
                d = Vector512.MultiplyAddEstimate(w, Vector512.Load(at += step), d);
                e = Vector512.MultiplyAddEstimate(w, Vector512.Load(at += step), e);
                f = Vector512.MultiplyAddEstimate(w, Vector512.Load(at + step), f);
            }
        a.Store(to);
        b.Store(to + Blocks.Size);
        c.Store(to + 2 * Blocks.Size);
        d.Store(to + 3 * Blocks.Size);
        e.Store(to + 4 * Blocks.Size);
        f.Store(to + 5 * Blocks.Size);
    }

    private static void Four(float* x, nint line, nint step, float* taps, int r, float* to)
    {
        Vec a = Vec.Zero, b = Vec.Zero, c = Vec.Zero, d = Vec.Zero;
        for (int i = 0; i < r; i++, x += line)
            for (int j = 0; j < r; j++, taps += Blocks.Size)
            {
                float* at = x + j * Blocks.Size;
                Vec w = Vector512.Load(taps);
                a = Vector512.MultiplyAddEstimate(w, Vector512.Load(at), a);
                b = Vector512.MultiplyAddEstimate(w, Vector512.Load(at += step), b);
                c = Vector512.MultiplyAddEstimate(w, Vector512.Load(at += step), c);
                d = Vector512.MultiplyAddEstimate(w, Vector512.Load(at + step), d);
            }
        a.Store(to);
        b.Store(to + Blocks.Size);
        c.Store(to + 2 * Blocks.Size);
        d.Store(to + 3 * Blocks.Size);
    }

    private static void One(float* x, nint line, float* taps, int r, float* to)
    {
        Vec sum = Vec.Zero;
        for (int i = 0; i < r; i++, x += line)
            for (int j = 0; j < r; j++, taps += Blocks.Size)
                sum = Vector512.MultiplyAddEstimate(Vector512.Load(taps), Vector512.Load(x + j * Blocks.Size), sum);
        sum.Store(to);
    }

    /// <summary>One plane of x, its view applied, with its zero border: <c>[H+2p][W+2p][16]</c> in the worker's scratch.</summary>
    public static float* Bordered(in DepthwiseShape s, in Affine x, int index, Worker worker)
    {
        int block = index % Blocks.Count(s.Input.C), p = s.Padding;
        float* to = worker.Scratch(0, (long)(s.Input.H + 2 * p) * (s.Input.W + 2 * p) * Blocks.Size);
        PackImage.Blocked(x.From(block), (long)index * s.Input.Area * Blocks.Size, 1, s.Input.H, s.Input.W, p, p, to);
        return to;
    }
}

/// <summary>y of one plane of 16 channels.</summary>
internal readonly unsafe struct DepthwiseForwardPlane(DepthwiseShape s, Affine x, float* taps, float* y) : IJob
{
    public void Run(int index, Worker worker)
    {
        float* from = DepthwisePlane.Bordered(s, x, index, worker);
        nint line = (nint)(s.Input.W + 2 * s.Padding) * Blocks.Size;
        float* filter = taps + (nint)(index % Blocks.Count(s.Input.C)) * s.R * s.R * Blocks.Size;
        float* to = y + (long)index * s.P * s.Q * Blocks.Size;
        for (int i = 0; i < s.P; i++, to += (nint)s.Q * Blocks.Size)
            DepthwisePlane.Row(from + i * s.Stride * line, line, s.Stride, filter, s.R, s.Q, to);
    }
}

/// <summary>dx of one plane of 16 channels.</summary>
internal readonly unsafe struct DepthwiseInputPlane(DepthwiseShape s, float* dy, float* taps, Epilogue epilogue) : IJob
{
    public void Run(int index, Worker worker)
    {
        int block = index % Blocks.Count(s.Input.C);
        float* from = Spread(index, worker), row = worker.Scratch(1, (long)s.Input.W * Blocks.Size);
        nint line = (nint)(s.Input.W + s.R - 1) * Blocks.Size;
        float* filter = taps + (nint)block * s.R * s.R * Blocks.Size;
        for (int i = 0; i < s.Input.H; i++)
        {
            DepthwisePlane.Row(from + i * line, line, 1, filter, s.R, s.Input.W, row);
            nint offset = ((nint)index * s.Input.H + i) * s.Input.W * Blocks.Size;
            epilogue.Store(row, Blocks.Size, block, offset, Blocks.Size, s.Input.W);
        }
    }

    // [H+R−1][W+R−1][16]: dy[p, q] at (R−1−padding + p·stride, the same for q), zeros elsewhere.
    private float* Spread(int index, Worker worker)
    {
        int low = s.R - 1 - s.Padding, width = s.Input.W + s.R - 1;
        long floats = (long)(s.Input.H + s.R - 1) * width * Blocks.Size;
        float* to = worker.Scratch(0, floats), from = dy + (long)index * s.P * s.Q * Blocks.Size;
        new Span<float>(to, checked((int)floats)).Clear();
        for (int p = 0; p < s.P; p++)
            for (int q = 0; q < s.Q; q++, from += Blocks.Size)
                Vector512.Load(from).Store(to + ((nint)(low + p * s.Stride) * width + low + q * s.Stride) * Blocks.Size);
        return to;
    }
}

/// <summary>One plane's contribution to dw, <c>[R·R][16]</c>.</summary>
internal readonly unsafe struct DepthwiseWeightPlane(DepthwiseShape s, Affine x, float* dy, float* partial) : IJob
{
    public void Run(int index, Worker worker)
    {
        float* from = DepthwisePlane.Bordered(s, x, index, worker);
        nint line = (nint)(s.Input.W + 2 * s.Padding) * Blocks.Size;
        float* g = dy + (long)index * s.P * s.Q * Blocks.Size;
        float* to = partial + (long)index * s.R * s.R * Blocks.Size;
        for (int i = 0; i < s.R; i++)
            for (int j = 0; j < s.R; j++, to += Blocks.Size)
                Products(from + i * line + j * Blocks.Size, s.Stride * line, s.Stride * Blocks.Size, g, s.P, s.Q).Store(to);
    }

    private static Vec Products(float* x, nint line, nint step, float* g, int rows, int columns)
    {
        Vec a = Vec.Zero, b = Vec.Zero;
        for (; rows > 0; rows--, x += line)
        {
            float* at = x;
            int i = columns;
            for (; i >= 2; i -= 2, at += 2 * step, g += 2 * Blocks.Size)
            {
                a = Vector512.MultiplyAddEstimate(Vector512.Load(g), Vector512.Load(at), a);
                b = Vector512.MultiplyAddEstimate(Vector512.Load(g + Blocks.Size), Vector512.Load(at + step), b);
            }
            if (i == 0) continue;
            a = Vector512.MultiplyAddEstimate(Vector512.Load(g), Vector512.Load(at), a);
            g += Blocks.Size;
        }
        return a + b;
    }
}

/// <summary>dw (+)= the planes' contributions of one block of channels, added over the images in order and in double.</summary>
internal readonly unsafe struct DepthwiseWeightSum(DepthwiseShape s, float* partial, bool accumulate, float* dw) : IJob
{
    public void Run(int index, Worker worker)
    {
        int taps = s.R * s.R, valid = Math.Min(Blocks.Size, s.Input.C - index * Blocks.Size);
        for (int lane = 0; lane < valid; lane++)
            for (int tap = 0; tap < taps; tap++)
            {
                float* to = dw + (long)(index * Blocks.Size + lane) * taps + tap;
                *to = (float)Sum(index, tap * Blocks.Size + lane, taps * Blocks.Size) + (accumulate ? *to : 0);
            }
    }

    private double Sum(int block, int offset, int planeFloats)
    {
        double sum = 0;
        for (int n = 0; n < s.Input.N; n++) sum += partial[((long)n * Blocks.Count(s.Input.C) + block) * planeFloats + offset];
        return sum;
    }
}
