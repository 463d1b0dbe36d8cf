namespace Rpat.Engine.Kernels.Cpu;

/// <summary>
/// The tiles of direct convolution: C[m, n] (+)= Σ_s Σ_i A[segment_s.A + group_m + i·aStep]·B[segment_s.B + i·bStep, n]. The rows come in
/// up to three groups that may start anywhere, with rows of a group aRow apart: four pixels of three image rows, or of three images.
/// Columns are one or two blocks of 16, bBlock apart. C's rows are at cGroup + m·cRow, its blocks cBlock apart: a result goes straight to a
/// blocked tensor. Two blocks keep 24 sums in registers and read 14 values per 24 multiply-adds; tiles of fewer groups are for the rest.
/// </summary>
internal static unsafe partial class Tile
{
    /// <summary>Groups of rows in a full tile.</summary>
    public const int Strips = 3;

    /// <summary>Floats of the largest grouped tile's result.</summary>
    public const int GroupedFloats = Strips * 4 * 2 * Blocks.Size;

    /// <summary>Offsets of a K segment in both operands.</summary>
    internal readonly record struct KSegment(nint A, nint B);

    /// <summary>How a grouped tile's sums reach memory.</summary>
    internal enum StoreMode
    {
        /// <summary>Stored.</summary>
        Store,

        /// <summary>Added to the destination.</summary>
        Add,

        /// <summary>Stored past the caches, which then need not fetch the lines first.</summary>
        Stream,
    }

    /// <summary>A grouped tile: number of groups, rows per group, blocks of columns, and the method that computes it.</summary>
    internal readonly struct Grouped(int groups, int groupRows, int blocks,
        delegate*<float*, nint*, nint, nint, KSegment*, int, int, float*, nint, nint, float*, nint*, nint, nint, StoreMode, byte*, nint, nint*, void> run)
    {
        public readonly int GroupRows = groupRows;
        public readonly int Blocks = blocks;
        public readonly delegate*<float*, nint*, nint, nint, KSegment*, int, int, float*, nint, nint, float*, nint*, nint, nint, StoreMode, byte*, nint, nint*, void> Run = run;

        public int Columns => Blocks * Cpu.Blocks.Size;

        public int Rows => groups * GroupRows;
    }

    /// <summary>Tiles whose groups have four rows, of one, two and three groups, and tiles whose groups have three rows.</summary>
    internal sealed class GroupedTiles(Grouped[] fours, Grouped[] threes)
    {
        /// <summary>The full tile with that many rows per group (3 or 4), and two blocks if at least two are left.</summary>
        public ref readonly Grouped Pick(int groupRows, int blocksLeft) => ref Pick(groupRows, blocksLeft, Strips);

        /// <summary>The tile for that many groups; tiles with three-row groups always have three groups.</summary>
        public ref readonly Grouped Pick(int groupRows, int blocksLeft, int groupsLeft) =>
            ref (groupRows == 4 ? fours.AsSpan(2 * (Math.Min(Strips, groupsLeft) - 1)) : threes)[Math.Min(2, blocksLeft) - 1];
    }
}
