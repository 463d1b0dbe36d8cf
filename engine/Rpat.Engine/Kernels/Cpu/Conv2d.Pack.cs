namespace Rpat.Engine.Kernels.Cpu;

/// <summary>Copies images with a zero border, so that the tiles need no edge cases.</summary>
internal static unsafe class PackImage
{
    /// <summary>Floats that tiles may read past a packed image.</summary>
    public const int Slack = 1024;

    /// <summary>One image <c>[blocks][H][W][16]</c>, its view applied, to <c>[blocks][low+H+high][low+W+high][16]</c>.</summary>
    public static void Blocked(in Affine x, long offset, int blocks, int h, int w, int low, int high, float* to)
    {
        int row = (low + w + high) * Blocks.Size;
        for (int b = 0; b < blocks; b++)
        {
            Zero(to, (long)low * row);
            to += (long)low * row;
            Vec scale = x.ScaleOf(b), shift = x.ShiftOf(b), floor = x.Floor;
            for (int y = 0; y < h; y++, to += row, offset += w * Blocks.Size)
                Row(x.Data + offset, w, low, high, to, x.IsMap, scale, shift, floor);
            Zero(to, (long)high * row);
            to += (long)high * row;
        }
    }

    /// <summary>The pixels of one image that a strided 1×1 filter reads, their view applied, to <c>[blocks][P][Q][16]</c>.</summary>
    public static void Sampled(in Affine x, long offset, int blocks, in ConvShape s, float* to)
    {
        for (int b = 0; b < blocks; b++, offset += s.Input.Area * Blocks.Size)
        {
            Vec scale = x.ScaleOf(b), shift = x.ShiftOf(b), floor = x.Floor;
            for (int y = 0; y < s.P; y++)
            {
                float* from = x.Data + offset + (long)y * s.Stride * s.Input.W * Blocks.Size;
                for (int i = 0; i < s.Q; i++, from += s.Stride * Blocks.Size, to += Blocks.Size)
                    Simd.AtLeast(Vector512.MultiplyAddEstimate(Vector512.Load(from), scale, shift), floor).Store(to);
            }
        }
    }

    /// <summary>One plain image <c>[C][H][W]</c>, its view applied, to <c>[low+H+high][low+W+high][C]</c>: for few channels.</summary>
    public static void ChannelsLast(in Affine x, long offset, int channels, int h, int w, int low, int high, float* to)
    {
        int row = (low + w + high) * channels;
        Zero(to, (long)row * (low + h + high));
        for (int y = 0; y < h; y++)
        {
            float* from = x.Data + offset + (long)y * w, target = to + (long)(y + low) * row + low * channels;
            int done = Interleave.Row(x, from, (nint)h * w, channels, w, target);
            for (int c = 0; c < channels; c++)
            {
                float scale = x.Scale == null ? 1 : x.Scale[c], shift = x.Scale == null ? 0 : x.Shift[c];
                float* plane = from + (long)c * h * w;
                for (int i = done; i < w; i++) target[i * channels + c] = Map(plane[i], scale, shift, x.Relu);
            }
        }
    }

    private static float Map(float x, float scale, float shift, bool relu)
    {
        float y = scale * x + shift;
        return relu && y <= 0 ? 0 : y; // not !(y > 0): NaN stays
    }

    private static void Row(float* from, int w, int low, int high, float* to, bool map, Vec scale, Vec shift, Vec floor)
    {
        Zero(to, low * Blocks.Size);
        to += low * Blocks.Size;
        int end = w * Blocks.Size;
        if (map)
            for (int i = 0; i < end; i += Blocks.Size)
                Simd.AtLeast(Vector512.MultiplyAddEstimate(Vector512.Load(from + i), scale, shift), floor).Store(to + i);
        else
            for (int i = 0; i < end; i += Blocks.Size)
                Vector512.Load(from + i).Store(to + i);
        Zero(to + end, high * Blocks.Size);
    }

    private static void Zero(float* to, long floats) => new Span<float>(to, checked((int)floats)).Clear();
}

/// <summary>Rows of three planes to rows of pixels, sixteen pixels at a time.</summary>
internal static unsafe class Interleave
{
    private const int Channels = 3;

    // For each of the three results: the positions of its values in (plane 0, plane 1), and then in (that result, plane 2).
    private static readonly Vector512<int>[] _pair = [Index(0, Pair), Index(1, Pair), Index(2, Pair)];
    private static readonly Vector512<int>[] _third = [Index(0, Third), Index(1, Third), Index(2, Third)];

    /// <summary>A row of an image of one or three channels, its view applied, except fewer than sixteen pixels at the end.</summary>
    /// <returns>Pixels packed.</returns>
    public static int Row(in Affine x, float* from, nint plane, int channels, int width, float* to)
    {
        int i = 0;
        if (channels == 1)
            for (; i + Blocks.Size <= width; i += Blocks.Size) Plane(x, 0, from + i).Store(to + i);
        else if (channels == Channels && Avx512F.IsSupported)
            for (; i + Blocks.Size <= width; i += Blocks.Size)
                Three(Plane(x, 0, from + i), Plane(x, 1, from + plane + i), Plane(x, 2, from + 2 * plane + i), to + i * Channels);
        return i;
    }

    private static void Three(Vec p0, Vec p1, Vec p2, float* to)
    {
        for (int v = 0; v < Channels; v++, to += Blocks.Size)
            Avx512F.PermuteVar16x32x2(Avx512F.PermuteVar16x32x2(p0, _pair[v], p1), _third[v], p2).Store(to);
    }

    private static Vec Plane(in Affine x, int channel, float* from)
    {
        Vec value = Vector512.Load(from);
        if (x.Scale != null)
            value = Vector512.MultiplyAddEstimate(value, Vector512.Create(x.Scale[channel]), Vector512.Create(x.Shift[channel]));
        return Simd.AtLeast(value, x.Floor);
    }

    private static Vector512<int> Index(int vector, Func<int, int, int, int> place) => Vector512.Create([.. Enumerable.Range(0, Blocks.Size)
        .Select(k => place((vector * Blocks.Size + k) / Channels, (vector * Blocks.Size + k) % Channels, k))]);

    private static int Pair(int pixel, int channel, int k) => channel == 1 ? Blocks.Size + pixel : pixel;

    private static int Third(int pixel, int channel, int k) => channel == 2 ? Blocks.Size + pixel : k;
}
