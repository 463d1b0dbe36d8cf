namespace Rpat.Engine.Kernels.Cpu;

/// <summary>The patches of an activation that Winograd's tiles read.</summary>
internal static unsafe class WinogradPatch
{
    private const int Ahead = 2; // tiles: a patch's lines are in many pages, which the hardware does not prefetch

    /// <summary>V of some blocks and a run of tiles; block by block, so that neighbouring tiles read neighbouring pixels.</summary>
    /// <param name="patch">36 vectors.</param>
    public static void Transform(in Affine x, in WinogradShape shape, (int First, int End) blocks, int first, int count, float* v,
        nint step, nint tileStep, nint blockStep, float* patch)
    {
        if (x.IsMap) Transform<MappedView>(x, shape, blocks, first, count, v, step, tileStep, blockStep, patch);
        else Transform<PlainView>(x, shape, blocks, first, count, v, step, tileStep, blockStep, patch);
    }

    private static void Transform<TView>(in Affine x, in WinogradShape shape, (int First, int End) blocks, int first, int count, float* v,
        nint step, nint tileStep, nint blockStep, float* patch) where TView : IView
    {
        for (int block = blocks.First; block < blocks.End; block++)
        {
            var map = new BlockMap(x.ScaleOf(block), x.ShiftOf(block), x.Floor);
            for (int i = 0; i < count; i++)
            {
                Columns<TView>(x, shape, block, shape.OriginOf(first + i), map, patch);
                WinogradTransform.InputRows(patch, v + i * tileStep + (block - blocks.First) * blockStep, step);
            }
        }
    }

    /// <summary>First axis of a tile; a tile that extends past the image goes through a copy with zeros.</summary>
    private static void Columns<TView>(in Affine x, in WinogradShape shape, int block, (int N, int Y, int X) at, in BlockMap map, float* d)
        where TView : IView
    {
        int y0 = at.Y - 1, x0 = at.X - 1;
        nint row = (nint)shape.W * Blocks.Size;
        float* from = x.Data + (((long)at.N * shape.InputBlocks + block) * shape.H + y0) * row + (long)x0 * Blocks.Size;
        var inside = new PatchInside(y0 >= 0, y0 + 6 <= shape.H, Math.Max(0, -x0), Math.Min(6, shape.W - x0));
        Prefetch(from + Ahead * 4 * Blocks.Size, row);
        if (y0 + 5 <= shape.H)
        {
            WinogradTransform.InputColumns<TView>(from, row, inside, map, d);
            return;
        }
        Clear(d);
        Copy<TView>(from, row, d, Math.Max(0, -y0), shape.H - y0, inside, map);
        WinogradTransform.InputColumns<PlainView>(d, 6 * Blocks.Size, new PatchInside(true, true, 0, 6), map, d);
    }

    private static void Prefetch(float* from, nint row)
    {
        if (!Sse.IsSupported) return;
        for (int i = 0; i < 6; i++, from += row)
            for (int j = 2 * Blocks.Size; j < 6 * Blocks.Size; j += Blocks.Size)
                Sse.Prefetch0(from + j);
    }

    private static void Clear(float* d)
    {
        for (float* end = d + 36 * Blocks.Size; d < end; d += 4 * Blocks.Size)
        {
            Vec.Zero.Store(d);
            Vec.Zero.Store(d + 16);
            Vec.Zero.Store(d + 32);
            Vec.Zero.Store(d + 48);
        }
    }

    private static void Copy<TView>(float* from, nint row, float* d, int top, int bottom, in PatchInside inside, in BlockMap map)
        where TView : IView
    {
        for (int i = top; i < bottom; i++)
            for (int j = inside.Left; j < inside.Right; j++)
                TView.Of(Vector512.Load(from + i * row + j * Blocks.Size), map.Scale, map.Shift, map.Floor)
                    .Store(d + (6 * i + j) * Blocks.Size);
    }

    /// <summary>The 4×4 outputs of a tile of a stored tensor, zeros outside, row-major vectors.</summary>
    public static void LoadOutputs(float* y, int block, int blocks, in WinogradShape shape, (int N, int Y, int X) at, float* d)
    {
        float* plane = y + ((long)at.N * blocks + block) * shape.H * shape.W * Blocks.Size;
        for (int i = 0; i < 4; i++)
            for (int j = 0; j < 4; j++, d += Blocks.Size)
            {
                bool inside = at.Y + i < shape.H && at.X + j < shape.W;
                (inside ? Vector512.Load(plane + ((long)(at.Y + i) * shape.W + at.X + j) * Blocks.Size) : Vec.Zero).Store(d);
            }
    }
}

/// <summary>Which part of a 6×6 patch lies inside the image: its first row, its last, and the columns left…right−1.</summary>
internal readonly record struct PatchInside(bool Top, bool Bottom, int Left, int Right);

/// <summary>A view's map for one channel block.</summary>
internal readonly struct BlockMap(Vec scale, Vec shift, Vec floor)
{
    public readonly Vec Scale = scale;
    public readonly Vec Shift = shift;
    public readonly Vec Floor = floor;
}

/// <summary>A view's map, known at compile time.</summary>
internal interface IView
{
    /// <summary>Sixteen channels of a pixel as seen through the view.</summary>
    static abstract Vec Of(Vec x, Vec scale, Vec shift, Vec floor);
}

/// <summary>Stored values as they are.</summary>
internal readonly struct PlainView : IView
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec Of(Vec x, Vec scale, Vec shift, Vec floor) => x;
}

/// <summary>max(scale·x + shift, floor).</summary>
internal readonly struct MappedView : IView
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec Of(Vec x, Vec scale, Vec shift, Vec floor) => Simd.AtLeast(Vector512.MultiplyAddEstimate(x, scale, shift), floor);
}
