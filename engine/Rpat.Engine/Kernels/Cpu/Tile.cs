namespace Rpat.Engine.Kernels.Cpu;

/// <summary>Instruction sets that have their own tiles.</summary>
internal enum InstructionSet
{
    /// <summary>128-bit vectors; runs everywhere.</summary>
    Portable,

    /// <summary>256-bit vectors with fused multiply-add.</summary>
    Avx2,

    /// <summary>512-bit vectors.</summary>
    Avx512,
}

/// <summary>
/// The register tiles that all dense arithmetic runs on: C[m, n] (+)= Σ_s Σ_i A[segment_s + i·aStep + m·aRow]·B[n], with m over a few rows,
/// n over blocks of 16 contiguous columns, and B advancing by bStep after each i. A convolution has one segment per (channel block, tap), a
/// matrix product has a single segment.
/// </summary>
internal static unsafe partial class Tile
{
    /// <summary>Floats of the largest tile's result.</summary>
    public const int MaxFloats = 6 * 4 * Blocks.Size;

    /// <summary>Rows of A that the best-fitting tile may read past the last valid one: every width has a tile of four rows.</summary>
    public const int SpareRows = 3;

    /// <summary>A tile's signature; <c>segment</c> holds offsets into <c>a</c>, <c>cRow</c> is the distance between C's rows.</summary>
    internal readonly struct Kernel(int rows, int blocks,
        delegate*<float*, nint, nint, nint*, int, int, float*, nint, float*, nint, bool, void> run)
    {
        public readonly int Rows = rows;
        public readonly int Blocks = blocks;
        public readonly delegate*<float*, nint, nint, nint*, int, int, float*, nint, float*, nint, bool, void> Run = run;
    }

    /// <summary>
    /// The widest set of this machine, unless the environment disables it (.NET honours DOTNET_EnableAVX512=0, DOTNET_EnableAVX2=0).
    /// </summary>
    public static InstructionSet Best =>
        Vector512.IsHardwareAccelerated ? InstructionSet.Avx512
        : Vector256.IsHardwareAccelerated ? InstructionSet.Avx2 : InstructionSet.Portable;

    /// <summary>The tiles of an instruction set, widest first.</summary>
    public static Kernel[] For(InstructionSet set) => set switch
    {
        InstructionSet.Avx512 =>
        [
            new(6, 4, &V512_6x4), new(4, 4, &V512_4x4), new(8, 2, &V512_8x2), new(4, 2, &V512_4x2),
            new(16, 1, &V512_16x1), new(8, 1, &V512_8x1), new(4, 1, &V512_4x1),
        ],
        InstructionSet.Avx2 =>
        [
            new(6, 4, &V256_6x4), new(4, 4, &V256_4x4), new(8, 2, &V256_8x2), new(4, 2, &V256_4x2),
            new(16, 1, &V256_16x1), new(8, 1, &V256_8x1), new(4, 1, &V256_4x1),
        ],
        _ =>
        [
            new(6, 4, &V128_6x4), new(4, 4, &V128_4x4), new(8, 2, &V128_8x2), new(4, 2, &V128_4x2),
            new(16, 1, &V128_16x1), new(8, 1, &V128_8x1), new(4, 1, &V128_4x1),
        ],
    };

    /// <summary>
    /// A product's signature: a tile with one segment and contiguous columns of A, which also prefetches <c>length</c> cache lines starting
    /// at <c>ahead</c> into L2.
    /// </summary>
    internal readonly struct Product(int rows, int blocks, delegate*<float*, nint, int, float*, nint, float*, nint, bool, float*, void> run)
    {
        public readonly int Rows = rows;
        public readonly int Blocks = blocks;
        public readonly delegate*<float*, nint, int, float*, nint, float*, nint, bool, float*, void> Run = run;
    }

    /// <summary>The products of an instruction set, grouped by width, tallest first.</summary>
    public static Product[] ProductsFor(InstructionSet set) => set switch
    {
        InstructionSet.Avx512 =>
        [
            new(6, 4, &V512Product_6x4), new(4, 4, &V512Product_4x4), new(8, 2, &V512Product_8x2), new(4, 2, &V512Product_4x2),
            new(16, 1, &V512Product_16x1), new(8, 1, &V512Product_8x1), new(4, 1, &V512Product_4x1),
        ],
        InstructionSet.Avx2 =>
        [
            new(6, 4, &V256Product_6x4), new(4, 4, &V256Product_4x4), new(8, 2, &V256Product_8x2), new(4, 2, &V256Product_4x2),
            new(16, 1, &V256Product_16x1), new(8, 1, &V256Product_8x1), new(4, 1, &V256Product_4x1),
        ],
        _ =>
        [
            new(6, 4, &V128Product_6x4), new(4, 4, &V128Product_4x4), new(8, 2, &V128Product_8x2), new(4, 2, &V128Product_4x2),
            new(16, 1, &V128Product_16x1), new(8, 1, &V128Product_8x1), new(4, 1, &V128Product_4x1),
        ],
    };

    /// <summary>
    /// The product for the next rows, given how many are left: the tallest of that width that fits and does not leave two rows, else the
    /// smallest.
    /// </summary>
    public static ref readonly Product Pick(ReadOnlySpan<Product> products, int blocks, int rows)
    {
        int i = 0;
        while (products[i].Blocks != blocks) i++;
        while (i + 1 < products.Length && products[i + 1].Blocks == blocks && (products[i].Rows > rows || products[i].Rows + 2 == rows))
            i++;
        return ref products[i];
    }
}

/// <summary>Which tile a product runs on.</summary>
internal static class TileChoice
{
    /// <summary>The tile that divides the panel and wastes the fewest rows; ties go to the tallest.</summary>
    public static ref readonly Tile.Kernel Pick(Tile.Kernel[] tiles, int blocks, int width)
    {
        int best = -1, bestRows = int.MaxValue;
        for (int i = 0; i < tiles.Length; i++)
        {
            if (blocks % tiles[i].Blocks != 0 || tiles[i].Blocks * 2 < blocks) continue;
            int rows = (width + tiles[i].Rows - 1) / tiles[i].Rows * tiles[i].Rows;
            if (rows < bestRows || (rows == bestRows && tiles[i].Rows > tiles[best].Rows)) (best, bestRows) = (i, rows);
        }
        return ref tiles[best];
    }
}
