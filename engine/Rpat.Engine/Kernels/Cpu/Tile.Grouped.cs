namespace Rpat.Engine.Kernels.Cpu;

/// <summary>
/// The tiles of direct convolution: C[m, n] (+)= Σ_s Σ_i A[segment_s.A + group_m + i·aStep]·B[segment_s.B + i·bStep, n]. The rows come in
/// three groups that may lie anywhere, rows of a group aRow apart: four pixels of three image rows, or of three images. Columns
/// are one or two blocks of 16, bBlock apart. C's rows lie at cGroup + m·cRow, its blocks cBlock apart: a result goes straight to
/// a blocked tensor. Two blocks keep 24 sums in registers and read 14 values for 24 multiply-adds.
/// </summary>
internal static unsafe partial class Tile
{
    /// <summary>Groups of rows in a grouped tile.</summary>
    public const int Groups = 3;

    /// <summary>Floats of the largest grouped tile's result.</summary>
    public const int GroupedFloats = Groups * 4 * 2 * Blocks.Size;

    /// <summary>Where a part of the reduction begins in both operands.</summary>
    internal readonly record struct Segment(nint A, nint B);

    /// <summary>A grouped tile: rows of a group, blocks of columns, and what computes it.</summary>
    internal readonly struct Grouped(int groupRows, int blocks,
        delegate*<float*, nint*, nint, nint, Segment*, int, int, float*, nint, nint, float*, nint*, nint, nint, bool, void> run)
    {
        public readonly int GroupRows = groupRows;
        public readonly int Blocks = blocks;
        public readonly delegate*<float*, nint*, nint, nint, Segment*, int, int, float*, nint, nint, float*, nint*, nint, nint, bool, void> Run = run;

        public int Columns => Blocks * Cpu.Blocks.Size;

        public int Rows => Groups * GroupRows;

        /// <summary>Floats of a result.</summary>
        public int Floats => Rows * Columns;
    }

    /// <summary>The grouped tiles of an instruction set.</summary>
    public static GroupedTiles GroupedFor(InstructionSet set) => set switch
    {
        InstructionSet.Avx512 => new([new(4, 1, &V512_G4x1), new(4, 2, &V512_G4x2)], [new(3, 1, &V512_G3x1), new(3, 2, &V512_G3x2)]),
        InstructionSet.Avx2 => new([new(4, 1, &V256_G4x1), new(4, 2, &V256_G4x2)], [new(3, 1, &V256_G3x1), new(3, 2, &V256_G3x2)]),
        _ => new([new(4, 1, &V128_G4x1), new(4, 2, &V128_G4x2)], [new(3, 1, &V128_G3x1), new(3, 2, &V128_G3x2)]),
    };

    /// <summary>Tiles with groups of four and of three rows.</summary>
    internal sealed class GroupedTiles(Grouped[] fours, Grouped[] threes)
    {
        /// <summary>The tile with that many rows a group (3 or 4), and two blocks where that many are left.</summary>
        public ref readonly Grouped Pick(int groupRows, int blocksLeft) =>
            ref (groupRows == 4 ? fours : threes)[Math.Min(2, blocksLeft) - 1];
    }
}
