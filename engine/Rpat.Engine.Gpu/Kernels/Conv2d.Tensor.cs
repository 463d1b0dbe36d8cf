using ILGPU;

namespace Rpat.Engine.Gpu.Kernels;

/// <summary>
/// Shared by the tensor-core kernels. Tile and group are those of <see cref="GemmTile"/>: four warps, each 64 rows × 32 columns. A step of
/// the reduction takes eight words, which hold eight factors of TF32 or sixteen of bfloat16. Memory stays float32: factors are rounded on
/// their way to shared memory, sums are float32.
/// </summary>
internal static class TensorTile
{
    public const int Words = 8;

    /// <summary>
    /// Words between columns of B's <c>[word][column]</c>; eight more than the tile, so that a fragment's lanes access 32 different banks.
    /// </summary>
    public const int StrideOfB = GemmTile.Columns + 8;

    /// <summary>Shared quads: the tile of results is the largest thing staged.</summary>
    public const int SharedQuads = GemmTile.Rows * Mma.StagingStride / 4;

    private const int WarpRows = 64, WarpColumns = 32, BlockRows = 16, BlockColumns = 8, HalfRows = 8, HalfWords = 4;

    /// <summary>Multiplies one staged step.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Multiply<T>(ArrayView<uint> shared, int a, int row, int word, int b, int thread) where T : struct, IWord
    {
        int warp = thread / Reduce.WarpSize, g = thread % Reduce.WarpSize / 4, t = thread % 4;
        int i = a + (warp % 2 * WarpRows + g) * row + t * word, j = b + t * StrideOfB + warp / 2 * WarpColumns + g;
        Mma.LoadA(
            RowBlock(shared, i, row, word), RowBlock(shared, i + BlockRows * row, row, word),
            RowBlock(shared, i + 2 * BlockRows * row, row, word), RowBlock(shared, i + 3 * BlockRows * row, row, word));
        Mma.LoadB(ColumnBlocks(shared, j), ColumnBlocks(shared, j + 2 * BlockColumns));
        T.Multiply();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Fragment RowBlock(ArrayView<uint> shared, int i, int row, int word) => new(
        shared[i], shared[i + HalfRows * row], shared[i + HalfWords * word], shared[i + HalfRows * row + HalfWords * word]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Fragment ColumnBlocks(ArrayView<uint> shared, int j) => new(
        shared[j], shared[j + HalfWords * StrideOfB], shared[j + BlockColumns], shared[j + BlockColumns + HalfWords * StrideOfB]);

    /// <summary>Puts the accumulators into shared memory, where all threads can read them as <c>[row][column]</c>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StageResults(int thread)
    {
        int warp = thread / Reduce.WarpSize, g = thread % Reduce.WarpSize / 4, t = thread % 4;
        Mma.Store(4 * ((warp % 2 * WarpRows + g) * Mma.StagingStride + warp / 2 * WarpColumns + 2 * t));
        Group.Barrier();
    }
}

/// <summary>A word of factors.</summary>
internal interface IWord
{
    /// <summary>Factors of a word.</summary>
    static abstract int Factors { get; }

    /// <summary>Four words of adjacent channels in a row: from the first quad, or from both.</summary>
    static abstract U4 Along(V4 first, V4 second);

    /// <summary>Rounds four words of adjacent channels in a row and stores them to a quad of dynamic shared memory.</summary>
    static abstract void StageAlong(int quad, V4 first, V4 second);

    /// <summary>The same with four words of four rows, each with that row's factors from the two quads.</summary>
    static abstract void StageAcross(int quad, V4 first, V4 second);

    /// <summary>Adds the products of the loaded fragments.</summary>
    static abstract void Multiply();

    /// <summary>Adds the products of a step of <see cref="LineTile"/>.</summary>
    /// <param name="a">Quad of this thread in the first of its lines of A; the others are eight lines apart.</param>
    /// <param name="b">The same in B.</param>
    static abstract void MultiplyLines(ArrayView<uint> shared, int a, int b, int part);
}

/// <summary>One TF32 factor: the nearest number with 10 bits of mantissa.</summary>
internal readonly struct Tf32 : IWord
{
    public static int Factors
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U4 Along(V4 first, V4 second) => new(Round(first.X), Round(first.Y), Round(first.Z), Round(first.W));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StageAlong(int quad, V4 first, V4 second) => RoundedStore.Tf32(16 * quad, first);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StageAcross(int quad, V4 first, V4 second) => RoundedStore.Tf32(16 * quad, first);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Multiply() => Mma.MultiplyTf32();

    /// <summary>Two products of eight channels: one from the first two words of each quad, one from the last two.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void MultiplyLines(ArrayView<uint> shared, int a, int b, int part)
    {
        const int lines = 8 * LineTile.ChannelQuads;
        ArrayView<U4> quads = shared.Cast<U4>();
        U4 l0 = quads[a], h0 = quads[a + lines], l1 = quads[a + 2 * lines], h1 = quads[a + 3 * lines];
        U4 l2 = quads[a + 4 * lines], h2 = quads[a + 5 * lines], l3 = quads[a + 6 * lines], h3 = quads[a + 7 * lines];
        U4 b0 = quads[b], b1 = quads[b + lines], b2 = quads[b + 2 * lines], b3 = quads[b + 3 * lines];
        LineTile.LoadA(l0.Low, h0.Low, l1.Low, h1.Low, l2.Low, h2.Low, l3.Low, h3.Low);
        LineTile.LoadB(b0.Low, b1.Low, b2.Low, b3.Low);
        Mma.MultiplyTf32();
        LineTile.LoadA(l0.High, h0.High, l1.High, h1.High, l2.High, h2.High, l3.High, h3.High);
        LineTile.LoadB(b0.High, b1.High, b2.High, b3.High);
        Mma.MultiplyTf32();
    }

    // Adds half of the last kept bit; the tensor cores drop the rest. NaN is left alone: the carry would reach its sign.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Round(float x)
    {
        uint bits = Interop.FloatAsInt(x);
        return (bits & 0x7FFFFFFF) <= 0x7F800000 ? bits + 0x1000 & 0xFFFFE000 : bits;
    }
}

/// <summary>Two bfloat16 factors, the first in the low half: the nearest numbers with 7 bits of mantissa, ties to even.</summary>
internal readonly struct Bf16 : IWord
{
    public static int Factors
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 2;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static U4 Along(V4 first, V4 second) =>
        new(Pair(first.X, first.Y), Pair(first.Z, first.W), Pair(second.X, second.Y), Pair(second.Z, second.W));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StageAlong(int quad, V4 first, V4 second) =>
        RoundedStore.Bf16(16 * quad, first.X, first.Y, first.Z, first.W, second.X, second.Y, second.Z, second.W);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StageAcross(int quad, V4 first, V4 second) =>
        RoundedStore.Bf16(16 * quad, first.X, second.X, first.Y, second.Y, first.Z, second.Z, first.W, second.W);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Multiply() => Mma.MultiplyBf16();

    /// <summary>One product of sixteen channels from half a quad.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void MultiplyLines(ArrayView<uint> shared, int a, int b, int part)
    {
        const int lines = 8 * LineTile.ChannelQuads;
        ArrayView<U2> pairs = shared.Cast<U2>();
        int i = 2 * a + part, j = 2 * b + part;
        LineTile.LoadA(
            pairs[i], pairs[i + lines], pairs[i + 2 * lines], pairs[i + 3 * lines],
            pairs[i + 4 * lines], pairs[i + 5 * lines], pairs[i + 6 * lines], pairs[i + 7 * lines]);
        LineTile.LoadB(pairs[j], pairs[j + lines], pairs[j + 2 * lines], pairs[j + 3 * lines]);
        Mma.MultiplyBf16();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Pair(float low, float high) => Round(low) >> 16 | Round(high) & 0xFFFF0000;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Round(float x)
    {
        uint bits = Interop.FloatAsInt(x);
        return (bits & 0x7FFFFFFF) <= 0x7F800000 ? bits + 0x7FFF + (bits >> 16 & 1) : bits;
    }
}

/// <summary>Four adjacent words of shared memory.</summary>
internal readonly struct U4(uint x, uint y, uint z, uint w)
{
    public readonly uint X = x, Y = y, Z = z, W = w;

    /// <summary>The first two.</summary>
    public U2 Low
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => new(X, Y);
    }

    /// <summary>The last two.</summary>
    public U2 High
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => new(Z, W);
    }
}
