namespace Rpat.Engine.Kernels.Cpu;

/// <summary>
/// The product of the first layer's input gradient: c[column][pixel] = Σ over filters of planes[filter][pixel]·b[filter][column], with nine
/// columns and 48 pixels in registers: 27 sums, three vectors of pixels and a weight.
/// </summary>
internal static unsafe partial class StemTile
{
    /// <summary>Columns of a tile.</summary>
    public const int Columns = 9;

    /// <summary>Vectors of 16 pixels in a tile.</summary>
    public const int Vectors = 3;

    /// <summary>Pixels of a tile, and the distance between planes.</summary>
    public const int Width = Vectors * Blocks.Size;

    /// <summary>The tiles of an instruction set.</summary>
    public static Products For(InstructionSet set) => set == InstructionSet.Avx512 ? new(&V512_9x3, &V512_9x1) : new(&V256_9x6, &V256_9x2);

    /// <summary>
    /// Cache lines to prefetch during the product: for each block of 16 filters one line per filter, blocks that many floats apart.
    /// </summary>
    internal readonly struct PrefetchLines(float* from, nint step)
    {
        public readonly float* From = from;
        public readonly nint Step = step;
    }

    /// <summary>A tile of three vectors of pixels and one of a single vector, for the rest of a map.</summary>
    internal readonly struct Products(delegate*<float*, int, float*, float*, nint, PrefetchLines, void> tile,
        delegate*<float*, int, float*, float*, nint, PrefetchLines, void> single)
    {
        private readonly delegate*<float*, int, float*, float*, nint, PrefetchLines, void> _tile = tile;
        private readonly delegate*<float*, int, float*, float*, nint, PrefetchLines, void> _single = single;

        /// <summary>Nine columns of up to three vectors of pixels.</summary>
        public void Run(float* planes, int blocks, float* b, float* c, nint cStep, int vectors, in PrefetchLines ahead)
        {
            if (vectors == Vectors) _tile(planes, blocks, b, c, cStep, ahead);
            else
                for (int i = 0; i < vectors * Blocks.Size; i += Blocks.Size) _single(planes + i, blocks, b, c + i, cStep, ahead);
        }
    }
}

/// <summary>Converts blocks of 16 channels to one plane of <see cref="StemTile.Width"/> pixels per channel.</summary>
internal static unsafe class PlanesOf
{
    /// <summary>Some pixels of a block <c>[pixel][16]</c> to <c>[16][pixel]</c>, with zeros up to the end of the last vector.</summary>
    public static void Tile(float* from, int pixels, float* to)
    {
        int x = pixels / Transposed.Side * Transposed.Side;
        Transposed.Rows(from, Blocks.Size, x, Blocks.Size, to, StemTile.Width);
        from += x * Blocks.Size;
        for (int end = (pixels + Blocks.Size - 1) / Blocks.Size * Blocks.Size; x < end; x++, from += Blocks.Size)
            for (int c = 0; c < Blocks.Size; c++)
                to[c * StemTile.Width + x] = x < pixels ? from[c] : 0;
    }
}
