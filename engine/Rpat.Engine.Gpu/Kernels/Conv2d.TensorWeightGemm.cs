using ILGPU;

namespace Rpat.Engine.Gpu.Kernels;

/// <summary>
/// <see cref="WeightGemm"/> on the tensor cores: words run over pixels, and both factors are staged as <c>[word][row or column]</c>.
/// </summary>
internal readonly struct WeightTensorGemm<T>(WeightLoader loader, WeightTarget target) : IKernel where T : struct, IWord
{
    private const int StrideOfA = GemmTile.Rows + 8;
    private const int WordsOfA = TensorTile.Words * StrideOfA, WordsOfB = TensorTile.Words * TensorTile.StrideOfB,
        HalfWords = TensorTile.Words / 2;

    private static int PixelsOfStep
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => TensorTile.Words * T.Factors;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        Mma.Begin();
        ArrayView<V4> shared = SharedMemory.GetDynamic<V4>();
        int thread = Group.IdxX, first = loader.First, steps = (loader.End - first + PixelsOfStep - 1) / PixelsOfStep;
        TapCursor tap = loader.TapOfRow(Grid.IdxX * GemmTile.RowQuads + thread % GemmTile.RowQuads);
        PixelCursor pixel = loader.PixelAt(first + thread / GemmTile.RowQuads * T.Factors);
        Fetch(pixel, tap, first, thread).Stage(0, thread);
        Group.Barrier();
        for (int step = 0; step < steps; step++)
        {
            pixel = loader.Advance(pixel, PixelsOfStep);
            Fetched next = Fetch(pixel, tap, first + (step + 1) * PixelsOfStep, thread);
            int half = step & 1;
            TensorTile.Multiply<T>(shared.Cast<uint>(), half * WordsOfA, 1, StrideOfA, 2 * WordsOfA + half * WordsOfB, thread);
            next.Stage(1 - half, thread);
            Group.Barrier();
        }
        TensorTile.StageResults(thread);
        for (int i = thread; i < GemmTile.Rows * GemmTile.ColumnQuads; i += GemmTile.Threads)
            Store(shared, i / GemmTile.ColumnQuads, i % GemmTile.ColumnQuads);
    }

    /// <summary>
    /// A thread's part of a step: a quad of rows in two words, and a quad of columns in one; gradients beyond the split are zero.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Fetched Fetch(PixelCursor pixel, TapCursor tap, int first, int thread)
    {
        PixelCursor later = loader.Advance(pixel, HalfWords * T.Factors);
        int word = first + thread / GemmTile.ColumnQuads * T.Factors,
            column = Grid.IdxY * GemmTile.ColumnQuads + thread % GemmTile.ColumnQuads;
        V4 none = new(0);
        return new Fetched(
            loader.Channels(pixel, tap), T.Factors == 2 ? loader.Channels(loader.Advance(pixel, 1), tap) : none,
            loader.Channels(later, tap), T.Factors == 2 ? loader.Channels(loader.Advance(later, 1), tap) : none,
            loader.Gradients(word, column), T.Factors == 2 ? loader.Gradients(word + 1, column) : none);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Store(ArrayView<V4> shared, int row, int quad) => target.Store(
        Grid.IdxZ, Grid.IdxX * GemmTile.Rows + row, Grid.IdxY * GemmTile.ColumnQuads + quad, shared[row * Mma.StagingStride / 4 + quad]);

    private readonly struct Fetched(V4 a0, V4 a1, V4 later0, V4 later1, V4 b0, V4 b1)
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Stage(int half, int thread)
        {
            int a = (half * WordsOfA + thread / GemmTile.RowQuads * StrideOfA) / 4 + thread % GemmTile.RowQuads;
            T.StageAcross(a, a0, a1);
            T.StageAcross(a + HalfWords * StrideOfA / 4, later0, later1);
            int b = 2 * WordsOfA + half * WordsOfB + thread / GemmTile.ColumnQuads * TensorTile.StrideOfB;
            T.StageAcross(b / 4 + thread % GemmTile.ColumnQuads, b0, b1);
        }
    }
}
