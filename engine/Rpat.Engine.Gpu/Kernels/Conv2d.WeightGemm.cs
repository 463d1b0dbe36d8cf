using ILGPU;

namespace Rpat.Engine.Gpu.Kernels;

/// <summary>
/// The weight gradient in float32: rows are taps × channels, columns are filters, and the reduction takes eight pixels per step. Both
/// factors are already stored in the order that the product needs. Grid: row tiles × column tiles × splits of the pixels.
/// </summary>
internal readonly struct WeightGemm(WeightLoader loader, WeightTarget target) : IKernel
{
    private const int HalfStep = GemmTile.Step / 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        ArrayView<V4> a = SharedMemory.Allocate<V4>(2 * GemmTile.QuadsOfA), b = SharedMemory.Allocate<V4>(2 * GemmTile.QuadsOfB);
        int thread = Group.IdxX, first = loader.First, steps = (loader.End - first + GemmTile.Step - 1) / GemmTile.Step;
        TapCursor tap = loader.TapOfRow(Grid.IdxX * GemmTile.RowQuads + thread % GemmTile.RowQuads);
        PixelCursor pixel = loader.PixelAt(first + thread / GemmTile.RowQuads);
        Fetch(pixel, tap, first, thread).Stage(a, b, 0, thread);
        Group.Barrier();
        RegisterTile sums = RegisterTile.Zero;
        for (int step = 0; step < steps; step++)
        {
            pixel = loader.Advance(pixel, GemmTile.Step);
            Fetched next = Fetch(pixel, tap, first + (step + 1) * GemmTile.Step, thread);
            sums = GemmTile.Multiply(sums, a, b, step & 1, thread);
            next.Stage(a, b, (step + 1) & 1, thread);
            Group.Barrier();
        }
        Store(sums, thread);
    }

    /// <summary>
    /// A thread's part of a step: a quad of rows at two pixels (gradients beyond the split are zero, so the rows there do not matter), and
    /// a quad of columns at one.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Fetched Fetch(PixelCursor pixel, TapCursor tap, int first, int thread)
    {
        V4 a0 = loader.Channels(pixel, tap), a1 = loader.Channels(loader.Advance(pixel, HalfStep), tap);
        return new Fetched(a0, a1, loader.Gradients(
            first + thread / GemmTile.ColumnQuads, Grid.IdxY * GemmTile.ColumnQuads + thread % GemmTile.ColumnQuads));
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

    private readonly struct Fetched(V4 a0, V4 a1, V4 b)
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Stage(ArrayView<V4> sharedA, ArrayView<V4> sharedB, int half, int thread)
        {
            sharedA[half * GemmTile.QuadsOfA + thread] = a0;
            sharedA[half * GemmTile.QuadsOfA + HalfStep * GemmTile.RowQuads + thread] = a1;
            sharedB[half * GemmTile.QuadsOfB + thread] = b;
        }
    }
}
