using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Vec = System.Runtime.Intrinsics.Vector512<float>;

namespace Rpat.Engine.Kernels.Cpu;

/// <summary>
/// Input gradient of the first layer: few channels, so the vector lanes run over the pixels of a row. The output gradient is brought to
/// planes <c>[filter][row][pitch]</c> with its border; a tile is four rows of 32 pixels in up to three channels. The result is plain.
/// One item an image.
/// </summary>
internal readonly unsafe struct StemGradientJob(ConvShape s, StridePhases phases, float* dy, float* w, Affine through, float* add, float* dx) : IJob
{
    /// <summary>Channels that a tile computes together.</summary>
    public const int TileChannels = 3;

    /// <summary>Channels with those that fill the last tile.</summary>
    public static int RoundedChannels(int c) => (c + TileChannels - 1) / TileChannels * TileChannels;

    private const int TileRows = 4;
    private const int TileWidth = 2 * Blocks.Size;

    private readonly int _kb = Blocks.Count(s.K);
    private readonly int _low = phases.Low;
    private readonly int _height = s.P + phases.Low + phases.Behind(s);
    private readonly int _left = Aligned(phases.Low + phases.Behind(s)); // a row's left border, and the right one of the row above
    private readonly int _pitch = Aligned(phases.Low + phases.Behind(s)) + Aligned(s.Q);

    private long Plane => (long)_height * _pitch;

    public void Run(int index, Worker worker)
    {
        float* planes = Planes(index, worker);
        nint* offsets = (nint*)worker.Scratch(1, 2L * s.K * s.R * s.R);
        float* sums = worker.Scratch(2, TileChannels * TileRows * TileWidth), b0 = w;
        foreach (var phase in phases.All)
        {
            int terms = FillOffsets(phase, offsets);
            for (int c = 0; c < s.C; c += TileChannels)
            {
                Channels(planes, index, c, phase, offsets, terms, b0, sums);
                b0 += terms * TileChannels;
            }
        }
    }

    /// <summary>An image's output gradient, plane by plane, with zeros around.</summary>
    private float* Planes(int n, Worker worker)
    {
        float* planes = worker.Scratch(0, (_kb * Blocks.Size + 1) * Plane + TileRows * _pitch + TileWidth);
        for (int k = 0; k < _kb * Blocks.Size; k++) ClearBorder(planes + k * Plane);
        new Span<float>(planes + _kb * Blocks.Size * Plane, _left).Clear();
        for (int b = 0; b < _kb; b++)
        {
            float* to = planes + b * Blocks.Size * Plane + (long)_low * _pitch + _left;
            PlanesOf.Block(dy + ((long)n * _kb + b) * s.P * s.Q * Blocks.Size, s.P, s.Q, to, _pitch, Plane);
        }
        return planes;
    }

    private void ClearBorder(float* plane)
    {
        new Span<float>(plane, _low * _pitch).Clear();
        new Span<float>(plane + (long)(_low + s.P) * _pitch, (_height - _low - s.P) * _pitch).Clear();
        float* row = plane + (long)_low * _pitch;
        for (int y = 0; y < s.P; y++, row += _pitch)
        {
            if (s.Q % Blocks.Size != 0) Vec.Zero.Store(row + _left + s.Q); // reaches into the border of the next row
            for (int x = 0; x < _left; x += Blocks.Size) Vec.Zero.Store(row + x);
        }
    }

    private static int Aligned(int count) => Math.Max(1, (count + Blocks.Size - 1) / Blocks.Size) * Blocks.Size;

    /// <summary>All pixels of one parity in up to three channels.</summary>
    private void Channels(float* planes, int n, int c, StridePhases.Phase phase, nint* offsets, int terms, float* b, float* sums)
    {
        int width = (s.Input.W - phase.X + s.Stride - 1) / s.Stride, height = (s.Input.H - phase.Y + s.Stride - 1) / s.Stride;
        for (int i = 0; i < height; i += TileRows)
            for (int j = 0; j < width; j += TileWidth)
            {
                float* a = planes + (long)(i + _low) * _pitch + _left + j;
                if (s.C == 1) OneChannel(a, _pitch, offsets, terms, b, sums);
                else ThreeChannels(a, _pitch, offsets, terms, b, sums);
                for (int channel = c; channel < Math.Min(s.C, c + TileChannels); channel++)
                    for (int row = 0; row < Math.Min(TileRows, height - i); row++)
                    {
                        long at = ((long)n * s.C + channel) * s.Input.Area + (long)((i + row) * s.Stride + phase.Y) * s.Input.W + j * s.Stride + phase.X;
                        Store(sums + ((channel - c) * TileRows + row) * TileWidth, channel, at, Math.Min(TileWidth, width - j));
                    }
            }
    }

    private void Store(float* sums, int channel, long at, int count)
    {
        float scale = through.Scale == null ? 1 : through.Scale[channel];
        for (int x = 0; x < count; x++, at += s.Stride) dx[at] = scale * sums[x] + (add == null ? 0 : add[at]);
    }

    /// <summary>sums[channel][row][x] = Σ over terms t of a[offsets[t] + row·pitch + x]·b[t][channel].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ThreeChannels(float* a, nint pitch, nint* offsets, int terms, float* b, float* sums)
    {
        Vec c00 = Vec.Zero, c01 = Vec.Zero, c02 = Vec.Zero, c03 = Vec.Zero, c04 = Vec.Zero, c05 = Vec.Zero, c06 = Vec.Zero, c07 = Vec.Zero;
        Vec c10 = Vec.Zero, c11 = Vec.Zero, c12 = Vec.Zero, c13 = Vec.Zero, c14 = Vec.Zero, c15 = Vec.Zero, c16 = Vec.Zero, c17 = Vec.Zero;
        Vec c20 = Vec.Zero, c21 = Vec.Zero, c22 = Vec.Zero, c23 = Vec.Zero, c24 = Vec.Zero, c25 = Vec.Zero, c26 = Vec.Zero, c27 = Vec.Zero;
        for (int t = 0; t < terms; t++, b += TileChannels)
        {
            float* p = a + offsets[t];
            Vec w0 = Vector512.Create(b[0]), w1 = Vector512.Create(b[1]), w2 = Vector512.Create(b[2]);
            Vec x = Vector512.Load(p);
            c00 = Vector512.MultiplyAddEstimate(x, w0, c00); c10 = Vector512.MultiplyAddEstimate(x, w1, c10); c20 = Vector512.MultiplyAddEstimate(x, w2, c20);
            x = Vector512.Load(p + 16);
            c01 = Vector512.MultiplyAddEstimate(x, w0, c01); c11 = Vector512.MultiplyAddEstimate(x, w1, c11); c21 = Vector512.MultiplyAddEstimate(x, w2, c21);
            p += pitch;
            x = Vector512.Load(p);
            c02 = Vector512.MultiplyAddEstimate(x, w0, c02); c12 = Vector512.MultiplyAddEstimate(x, w1, c12); c22 = Vector512.MultiplyAddEstimate(x, w2, c22);
            x = Vector512.Load(p + 16);
            c03 = Vector512.MultiplyAddEstimate(x, w0, c03); c13 = Vector512.MultiplyAddEstimate(x, w1, c13); c23 = Vector512.MultiplyAddEstimate(x, w2, c23);
            p += pitch;
            x = Vector512.Load(p);
            c04 = Vector512.MultiplyAddEstimate(x, w0, c04); c14 = Vector512.MultiplyAddEstimate(x, w1, c14); c24 = Vector512.MultiplyAddEstimate(x, w2, c24);
            x = Vector512.Load(p + 16);
            c05 = Vector512.MultiplyAddEstimate(x, w0, c05); c15 = Vector512.MultiplyAddEstimate(x, w1, c15); c25 = Vector512.MultiplyAddEstimate(x, w2, c25);
            p += pitch;
            x = Vector512.Load(p);
            c06 = Vector512.MultiplyAddEstimate(x, w0, c06); c16 = Vector512.MultiplyAddEstimate(x, w1, c16); c26 = Vector512.MultiplyAddEstimate(x, w2, c26);
            x = Vector512.Load(p + 16);
            c07 = Vector512.MultiplyAddEstimate(x, w0, c07); c17 = Vector512.MultiplyAddEstimate(x, w1, c17); c27 = Vector512.MultiplyAddEstimate(x, w2, c27);
        }
        c00.Store(sums); c01.Store(sums + 16); c02.Store(sums + 32); c03.Store(sums + 48);
        c04.Store(sums + 64); c05.Store(sums + 80); c06.Store(sums + 96); c07.Store(sums + 112);
        c10.Store(sums + 128); c11.Store(sums + 144); c12.Store(sums + 160); c13.Store(sums + 176);
        c14.Store(sums + 192); c15.Store(sums + 208); c16.Store(sums + 224); c17.Store(sums + 240);
        c20.Store(sums + 256); c21.Store(sums + 272); c22.Store(sums + 288); c23.Store(sums + 304);
        c24.Store(sums + 320); c25.Store(sums + 336); c26.Store(sums + 352); c27.Store(sums + 368);
    }

    /// <summary>The same for an image of one channel; b has room for three.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void OneChannel(float* a, nint pitch, nint* offsets, int terms, float* b, float* sums)
    {
        Vec c0 = Vec.Zero, c1 = Vec.Zero, c2 = Vec.Zero, c3 = Vec.Zero, c4 = Vec.Zero, c5 = Vec.Zero, c6 = Vec.Zero, c7 = Vec.Zero;
        for (int t = 0; t < terms; t++, b += TileChannels)
        {
            float* p = a + offsets[t];
            Vec w = Vector512.Create(*b);
            c0 = Vector512.MultiplyAddEstimate(Vector512.Load(p), w, c0);
            c1 = Vector512.MultiplyAddEstimate(Vector512.Load(p + 16), w, c1);
            p += pitch;
            c2 = Vector512.MultiplyAddEstimate(Vector512.Load(p), w, c2);
            c3 = Vector512.MultiplyAddEstimate(Vector512.Load(p + 16), w, c3);
            p += pitch;
            c4 = Vector512.MultiplyAddEstimate(Vector512.Load(p), w, c4);
            c5 = Vector512.MultiplyAddEstimate(Vector512.Load(p + 16), w, c5);
            p += pitch;
            c6 = Vector512.MultiplyAddEstimate(Vector512.Load(p), w, c6);
            c7 = Vector512.MultiplyAddEstimate(Vector512.Load(p + 16), w, c7);
        }
        c0.Store(sums); c1.Store(sums + 16); c2.Store(sums + 32); c3.Store(sums + 48);
        c4.Store(sums + 64); c5.Store(sums + 80); c6.Store(sums + 96); c7.Store(sums + 112);
    }

    /// <summary>In the order of the packed weights (filter, tap).</summary>
    private int FillOffsets(StridePhases.Phase phase, nint* offsets)
    {
        int count = 0;
        for (int k = 0; k < s.K; k++)
            foreach (var tap in phase.Taps)
                offsets[count++] = (nint)(k * Plane) + (nint)tap.OffsetY * _pitch + tap.OffsetX;
        return count;
    }
}

/// <summary>From blocks of 16 channels to a plane each.</summary>
internal static unsafe class PlanesOf
{
    /// <summary>A block <c>[h][w][16]</c> to sixteen planes that far apart, with rows pitch apart.</summary>
    public static void Block(float* from, int h, int w, float* to, nint pitch, long plane)
    {
        for (int y = 0; y < h; y++, to += pitch)
        {
            int x = 0;
            if (Avx512F.IsSupported)
                for (; x + Blocks.Size <= w; x += Blocks.Size, from += Blocks.Size * Blocks.Size)
                    for (int quad = 0; quad < 4; quad++)
                        Sixteen(from + 4 * quad, to + 4 * quad * plane + x, plane);
            for (; x < w; x++, from += Blocks.Size)
                for (int c = 0; c < Blocks.Size; c++)
                    to[c * plane + x] = from[c];
        }
    }

    /// <summary>Sixteen pixels of four channels: quarters of a vector hold every fourth pixel, then each quarter is transposed.</summary>
    private static void Sixteen(float* from, float* to, long plane)
    {
        Vec p0 = Quarters(from), p1 = Quarters(from + 16), p2 = Quarters(from + 32), p3 = Quarters(from + 48);
        Vector512<double> a = Low(p0, p1), b = High(p0, p1), c = Low(p2, p3), d = High(p2, p3);
        Avx512F.UnpackLow(a, c).AsSingle().Store(to);
        Avx512F.UnpackHigh(a, c).AsSingle().Store(to + plane);
        Avx512F.UnpackLow(b, d).AsSingle().Store(to + 2 * plane);
        Avx512F.UnpackHigh(b, d).AsSingle().Store(to + 3 * plane);
    }

    private static Vec Quarters(float* p) => Vector512.Create(
        Vector256.Create(Vector128.Load(p), Vector128.Load(p + 64)), Vector256.Create(Vector128.Load(p + 128), Vector128.Load(p + 192)));

    private static Vector512<double> Low(Vec a, Vec b) => Avx512F.UnpackLow(a, b).AsDouble();

    private static Vector512<double> High(Vec a, Vec b) => Avx512F.UnpackHigh(a, b).AsDouble();
}
