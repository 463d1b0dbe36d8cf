using ILGPU;

namespace Rpat.Engine.Gpu.Kernels;

/// <summary>
/// The weight gradient in float32: rows are taps × channels, columns are filters, and the reduction takes eight pixels per step. Both
/// factors are already stored in the order that the product needs. Grid: row tiles × column tiles × splits of the pixels.
/// </summary>
internal readonly struct WeightGemm<V>(WeightLoader<F32> loader, WeightTarget target) : IKernel where V : struct, IView
{
    private const int HalfStep = GemmTile.Step / 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        ArrayView<V4> a = SharedMemory.Allocate<V4>(2 * GemmTile.QuadsOfA), b = SharedMemory.Allocate<V4>(2 * GemmTile.QuadsOfB);
        int thread = Group.IdxX, first = loader.First, rest = loader.End - first, half = 0;
        RowCursor row = loader.RowAt(Grid.IdxX * GemmTile.RowQuads + (thread & GemmTile.RowQuads - 1));
        V4 scale = V.Affine ? loader.Map.Scale(row.Unit) : new V4(0), shift = V.Affine ? loader.Map.Shift(row.Unit) : new V4(0);
        PixelCursor pixel = loader.PixelAt(first + (thread >> 5)), later = loader.PixelAt(first + (thread >> 5) + HalfStep);
        int gradient = (first + (thread >> 4)) * loader.Columns + loader.Column(thread & GemmTile.ColumnQuads - 1);
        Stage(Fetch(pixel, later, gradient, rest, row, thread), scale, shift, a, b, 0, thread);
        Group.Barrier();
        RegisterTile sums = RegisterTile.Zero;
        while (rest > 0)
        {
            rest -= GemmTile.Step;
            gradient += GemmTile.Step * loader.Columns;
            pixel = loader.Advance(pixel);
            later = loader.Advance(later);
            Fetched next = Fetch(pixel, later, gradient, rest, row, thread);
            sums = GemmTile.Multiply(sums, a, b, half, thread);
            half ^= 1;
            Stage(next, scale, shift, a, b, half, thread);
            Group.Barrier();
        }
        Store(sums, thread);
    }

    /// <summary>
    /// A thread's part of a step of which <paramref name="rest"/> pixels are in the split: a quad of rows at two pixels, and a quad of
    /// columns at one. Pixels that do not count read others, which are staged as zeros.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Fetched Fetch(PixelCursor pixel, PixelCursor later, int gradient, int rest, RowCursor row, int thread)
    {
        int at0 = loader.SourcePixel(loader.WindowOf(pixel, thread >> 5 < rest), row);
        int at1 = loader.SourcePixel(loader.WindowOf(later, (thread >> 5) + HalfStep < rest), row);
        bool counts = thread >> 4 < rest;
        return new Fetched(
            Stored(at0, row), Stored(at1, row), loader.Gradients(counts ? gradient : 0), at0 >= 0 ? 1 : 0, at1 >= 0 ? 1 : 0,
            counts ? 1 : 0);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private V4 Stored(int pixel, RowCursor row) => loader.Stored((pixel >= 0 ? pixel : 0) * loader.Quads + row.Unit);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Stage(Fetched next, V4 scale, V4 shift, ArrayView<V4> sharedA, ArrayView<V4> sharedB, int half, int thread)
    {
        ArrayView<V4> rows = sharedA.SubView(half * GemmTile.QuadsOfA + thread);
        rows[0] = Seen(next.A0, scale, shift).If(next.Counts0 != 0);
        rows[HalfStep * GemmTile.RowQuads] = Seen(next.A1, scale, shift).If(next.Counts1 != 0);
        sharedB[half * GemmTile.QuadsOfB + thread] = next.B.If(next.CountsB != 0);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V4 Seen(V4 x, V4 scale, V4 shift)
    {
        V4 v = V.Affine ? scale * x + shift : x;
        return V.Relu ? v.Relu() : v;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Store(RegisterTile sums, int thread)
    {
        int low = Grid.IdxX * GemmTile.Rows + GemmTile.RowOf(thread, 0), high = Grid.IdxX * GemmTile.Rows + GemmTile.RowOf(thread, 1);
        Store(low, sums.R0, thread);
        Store(low + 1, sums.R1, thread);
        Store(low + 2, sums.R2, thread);
        Store(low + 3, sums.R3, thread);
        Store(high, sums.R4, thread);
        Store(high + 1, sums.R5, thread);
        Store(high + 2, sums.R6, thread);
        Store(high + 3, sums.R7, thread);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Store(int row, TileRow sums, int thread)
    {
        target.Store(Grid.IdxZ, row, GemmTile.ColumnOf(thread, 0), sums.Low);
        target.Store(Grid.IdxZ, row, GemmTile.ColumnOf(thread, 1), sums.High);
    }

    /// <summary>What a thread has loaded, and which of it counts.</summary>
    private readonly struct Fetched(V4 a0, V4 a1, V4 b, int counts0, int counts1, int countsB)
    {
        public readonly V4 A0 = a0, A1 = a1, B = b;
        public readonly int Counts0 = counts0, Counts1 = counts1, CountsB = countsB;
    }
}
