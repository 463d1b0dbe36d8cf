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
/// The register tiles that all dense arithmetic runs on: C[m, n] (+)= Σ_i A[m, i]·B[i, n], with n over blocks of 16 contiguous columns and
/// B advancing by bStep after each i. A product's rows of A are contiguous; a sum's columns are, 16 rows at a time.
/// </summary>
internal static unsafe partial class Tile
{
    /// <summary>
    /// The widest set of this machine, unless the environment disables it (.NET honours DOTNET_EnableAVX512=0, DOTNET_EnableAVX2=0).
    /// </summary>
    public static InstructionSet Best => Vector512.IsHardwareAccelerated ? InstructionSet.Avx512
        : Vector256.IsHardwareAccelerated ? InstructionSet.Avx2 : InstructionSet.Portable;

    /// <summary>Sums of 16 rows, for panels of 4, 2 and 1 blocks; A's values of a step are contiguous, steps are aStep apart.</summary>
    internal readonly struct Sums(delegate*<float*, nint, int, float*, nint, float*, nint, bool, void> four,
        delegate*<float*, nint, int, float*, nint, float*, nint, bool, void> two,
        delegate*<float*, nint, int, float*, nint, float*, nint, bool, void> one)
    {
        /// <summary>The sum for a panel.</summary>
        public delegate*<float*, nint, int, float*, nint, float*, nint, bool, void> For(in Panel panel) =>
            panel.Blocks switch { 4 => four, 2 => two, _ => one };
    }

    /// <summary>
    /// A product's signature: its length is a multiple of 16, and it prefetches that many cache lines starting at <c>ahead</c> into L2.
    /// </summary>
    internal readonly struct Product(int rows, int blocks, delegate*<float*, nint, int, float*, nint, float*, nint, bool, float*, void> run)
    {
        public readonly int Rows = rows;
        public readonly int Blocks = blocks;
        public readonly delegate*<float*, nint, int, float*, nint, float*, nint, bool, float*, void> Run = run;
    }

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
