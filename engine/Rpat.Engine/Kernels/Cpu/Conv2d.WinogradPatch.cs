namespace Rpat.Engine.Kernels.Cpu;

/// <summary>The patches of an activation that Winograd's tiles read.</summary>
internal static unsafe class WinogradPatch
{
    private const int Ahead = 2; // tiles: a patch's lines are in many pages, which the hardware does not prefetch

    /// <summary>V of some blocks and a run of tiles; block by block, so that neighbouring tiles read neighbouring pixels.</summary>
    /// <param name="patch">Room for <see cref="WinogradTransform.Scratch"/>.</param>
    public static void Transform(in Affine x, in WinogradShape shape, (int First, int End) blocks, int first, int count, float* v,
        nint step, nint tileStep, nint blockStep, float* patch)
    {
        if (shape.Input.Pitch == shape.Output.Pitch)
            Transform<UnitAxis>(x, shape, blocks, first, count, v, step, tileStep, blockStep, patch);
        else if (shape.Input.Pitch > shape.Output.Pitch)
            Transform<StridedAxis>(x, shape, blocks, first, count, v, step, tileStep, blockStep, patch);
        else Transform<StridedGradientAxis>(x, shape, blocks, first, count, v, step, tileStep, blockStep, patch);
    }

    private static void Transform<TAxis>(in Affine x, in WinogradShape shape, (int First, int End) blocks, int first, int count, float* v,
        nint step, nint tileStep, nint blockStep, float* patch) where TAxis : IWinogradAxis
    {
        for (int block = blocks.First; block < blocks.End; block++)
        {
            var map = new BlockMap(x.ScaleOf(block), x.ShiftOf(block), x.Floor);
            for (int i = 0; i < count; i++)
            {
                if (x.IsMap) Columns<TAxis, MappedView>(x, shape.Input, block, shape.Place(first + i), map, patch);
                else Columns<TAxis, PlainView>(x, shape.Input, block, shape.Place(first + i), map, patch);
                WinogradTransform.InputRows<TAxis>(patch, v + i * tileStep + (block - blocks.First) * blockStep, step);
            }
        }
    }

    /// <summary>First axis of a tile; a tile that extends past the image goes through a copy with zeros.</summary>
    private static void Columns<TAxis, TView>(in Affine x, in WinogradMap image, int block, (int N, int Y, int X) at, in BlockMap map,
        float* d) where TAxis : IWinogradAxis where TView : IView
    {
        int y0 = image.First(at.Y), x0 = image.First(at.X), side = TAxis.Inputs;
        nint row = (nint)image.W * Blocks.Size;
        float* from = x.Data + (((long)at.N * image.Blocks + block) * image.H + y0) * row + (long)x0 * Blocks.Size;
        var inside = new PatchInside(y0 >= 0, y0 + side <= image.H, Math.Max(0, -x0), Math.Min(side, image.W - x0));
        if (Sse.IsSupported) Prefetch(from + (Ahead * image.Pitch + side - image.Pitch) * Blocks.Size, row, side, image.Pitch);
        if (y0 + side - 1 <= image.H)
        {
            WinogradTransform.InputColumns<TAxis, TView>(from, row, inside, map, d);
            return;
        }
        float* copy = d + WinogradTransform.Patch;
        new Span<float>(copy, WinogradTransform.Patch).Clear();
        for (int i = Math.Max(0, -y0); i < image.H - y0; i++)
            for (int j = inside.Left; j < inside.Right; j++)
                TView.Of(Vector512.Load(from + i * row + j * Blocks.Size), map.Scale, map.Shift, map.Floor)
                    .Store(copy + (side * i + j) * Blocks.Size);
        WinogradTransform.InputColumns<TAxis, PlainView>(copy, side * Blocks.Size, new PatchInside(true, true, 0, side), map, d);
    }

    private static void Prefetch(float* from, nint row, int rows, int columns)
    {
        for (int i = 0; i < rows; i++, from += row)
            for (int j = 0; j < columns; j++) Sse.Prefetch0(from + j * Blocks.Size);
    }

    /// <summary>The 4×4 outputs of a tile of a stored tensor, zeros outside, row-major vectors.</summary>
    public static void LoadOutputs(float* y, int block, int blocks, in WinogradShape shape, (int N, int Y, int X) at, float* d)
    {
        var map = shape.Output;
        float* plane = y + ((long)at.N * blocks + block) * map.H * map.W * Blocks.Size;
        for (int i = 0; i < 4; i++)
            for (int j = 0; j < 4; j++, d += Blocks.Size)
            {
                int row = map.First(at.Y) + i, column = map.First(at.X) + j;
                bool inside = row < map.H && column < map.W;
                (inside ? Vector512.Load(plane + ((long)row * map.W + column) * Blocks.Size) : Vec.Zero).Store(d);
            }
    }
}

/// <summary>Which part of a patch lies inside the image: its first row, its last, and the columns left…right−1.</summary>
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
