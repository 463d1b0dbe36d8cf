using ILGPU;

namespace Rpat.Engine.Gpu.Kernels;

/// <summary>
/// <see cref="ConvGemm"/> on the tensor cores. A is staged as <c>[pixel][word]</c>, as it is in memory; a pixel takes twelve words, of
/// which eight are used, so that a fragment's lanes access 32 different banks.
/// </summary>
internal readonly struct ConvTensorGemm<T>(PixelLoader loader, Target target) : IKernel where T : struct, IWord
{
    private const int StrideOfA = TensorTile.Words + 4;
    private const int WordsOfA = GemmTile.Rows * StrideOfA, WordsOfB = TensorTile.Words * TensorTile.StrideOfB;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        Mma.Begin();
        ArrayView<V4> shared = SharedMemory.GetDynamic<V4>();
        int thread = Group.IdxX, steps = loader.Steps;
        Window window = loader.WindowOf(Grid.IdxX * GemmTile.Rows + thread);
        TapCursor at = loader.Start();
        Fetch(window, at, thread).Stage(0, thread);
        Group.Barrier();
        for (int step = 0; step < steps; step++)
        {
            at = loader.Next(at);
            Fetched next = Fetch(window, at, thread);
            int half = step & 1;
            TensorTile.Multiply<T>(shared.Cast<uint>(), half * WordsOfA, StrideOfA, 1, 2 * WordsOfA + half * WordsOfB, thread);
            next.Stage(1 - half, thread);
            Group.Barrier();
        }
        TensorTile.StageResults(thread);
        for (int i = thread; i < GemmTile.Rows * GemmTile.ColumnQuads; i += GemmTile.Threads)
            Store(shared, i / GemmTile.ColumnQuads, i % GemmTile.ColumnQuads);
    }

    /// <summary>A thread's part of a step: eight words of one pixel, and a quad of columns of one word of the filters.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Fetched Fetch(Window window, TapCursor at, int thread)
    {
        int pixel = loader.PixelIndex(window, at), quad = at.Chunk * 2 * T.Factors;
        int row = (at.Chunk * TensorTile.Words + thread / GemmTile.ColumnQuads) * T.Factors;
        int column = Grid.IdxY * GemmTile.ColumnQuads + thread % GemmTile.ColumnQuads;
        V4 none = new(0);
        return new Fetched(
            loader.Channels(pixel, quad), loader.Channels(pixel, quad + 1),
            T.Factors == 2 ? loader.Channels(pixel, quad + 2) : none, T.Factors == 2 ? loader.Channels(pixel, quad + 3) : none,
            loader.Filters(at, row, column), T.Factors == 2 ? loader.Filters(at, row + 1, column) : none);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Store(ArrayView<V4> shared, int row, int quad)
    {
        int m = Grid.IdxX * GemmTile.Rows + row, column = Grid.IdxY * GemmTile.ColumnQuads + quad;
        if (loader.HasPixel(m) && column < target.Columns) target.Store(Grid.IdxZ, m, column, shared[row * Mma.StagingStride / 4 + quad]);
    }

    /// <summary>What a thread has loaded; it is rounded when it is staged, which is when the loads must have completed.</summary>
    private readonly struct Fetched(V4 a0, V4 a1, V4 a2, V4 a3, V4 b0, V4 b1)
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Stage(int half, int thread)
        {
            int a = (half * WordsOfA + thread * StrideOfA) / 4;
            T.StageAlong(a, a0, a1);
            T.StageAlong(a + 1, T.Factors == 2 ? a2 : a1, a3);
            int b = 2 * WordsOfA + half * WordsOfB + thread / GemmTile.ColumnQuads * TensorTile.StrideOfB;
            T.StageAcross(b / 4 + thread % GemmTile.ColumnQuads, b0, b1);
        }
    }
}
