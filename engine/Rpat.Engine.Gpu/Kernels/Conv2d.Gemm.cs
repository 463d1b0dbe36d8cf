using ILGPU;

namespace Rpat.Engine.Gpu.Kernels;

/// <summary>The tile of a group: 128 rows × 64 columns by 128 threads, 8×8 each.</summary>
internal static class GemmTile
{
    public const int Threads = 128;
    public const int Rows = 128, RowQuads = Rows / 4;
    public const int Columns = 64, ColumnQuads = Columns / 4;

    /// <summary>Length of a step of the reduction on the CUDA cores.</summary>
    public const int Step = 8;

    // A thread's eight rows are two quads half a tile apart, and so are its columns: this way the lanes of a warp read adjacent quads.
    private const int RowThreads = RowQuads / 2, ColumnThreads = ColumnQuads / 2;

    /// <summary>Shared memory, double-buffered: one half is read while the next is filled. A is stored as <c>[step][row]</c>.</summary>
    public const int QuadsOfA = Step * RowQuads, QuadsOfB = Step * ColumnQuads;

    /// <summary>Length of a step of the reduction: eight words of shared memory, which hold one factor each, or two in bfloat16.</summary>
    public static int Depth(Precision precision) => precision == Precision.Bf16 ? 2 * Step : Step;

    /// <summary>First quad of this thread's rows; the second is half a tile further.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int RowQuad(int thread) => thread / ColumnThreads;

    /// <summary>First quad of this thread's columns; the second is half a tile further.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int ColumnQuad(int thread) => thread % ColumnThreads;

    /// <summary>
    /// Adds one step's product of the staged factors, eight outer products. Deliberately a loop: the compiler moves arithmetic down as far
    /// as it can, but not out of a loop; unrolled, all factors would have to wait in registers past the next barrier.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RegisterTile Multiply(RegisterTile c, ArrayView<V4> a, ArrayView<V4> b, int half, int thread)
    {
        int i = half * QuadsOfA + RowQuad(thread), j = half * QuadsOfB + ColumnQuad(thread);
        RegisterTile sums = c;
        for (int k = 0; k < Step; k += 2) sums = Outer(Outer(sums, a, b, i, j, k), a, b, i, j, k + 1);
        return sums;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static RegisterTile Outer(RegisterTile c, ArrayView<V4> a, ArrayView<V4> b, int i, int j, int k) => c.AddOuter(
        a[i + k * RowQuads], a[i + k * RowQuads + RowThreads], b[j + k * ColumnQuads], b[j + k * ColumnQuads + ColumnThreads]);

    /// <summary>First of the four rows of a thread's quad.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int RowOf(int thread, int half) => 4 * (RowQuad(thread) + half * RowThreads);

    /// <summary>Column quad, in the whole matrix, of a thread's low or high quad.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int ColumnOf(int thread, int half) => Grid.IdxY * ColumnQuads + ColumnQuad(thread) + half * ColumnThreads;
}

/// <summary>
/// The forward pass and the input gradient in float32. Grid: row tiles × column tiles × split-K. While one step is multiplied from one half
/// of shared memory, the next is loaded from global memory to registers, and then stored to the other half.
/// </summary>
internal readonly struct ConvGemm(PixelLoader loader, Target target) : IKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        ArrayView<V4> a = SharedMemory.Allocate<V4>(2 * GemmTile.QuadsOfA), b = SharedMemory.Allocate<V4>(2 * GemmTile.QuadsOfB);
        int thread = Group.IdxX, steps = loader.Steps;
        Window window = loader.WindowOf(Grid.IdxX * GemmTile.Rows + thread);
        TapCursor at = loader.Start();
        Fetch(window, at, thread).Stage(a, b, 0, thread);
        Group.Barrier();
        RegisterTile sums = RegisterTile.Zero;
        for (int step = 0; step < steps; step++)
        {
            at = loader.Next(at);
            Fetched next = Fetch(window, at, thread);
            sums = GemmTile.Multiply(sums, a, b, step & 1, thread);
            next.Stage(a, b, (step + 1) & 1, thread);
            Group.Barrier();
        }
        Store(sums, thread);
    }

    /// <summary>A thread's part of a step: eight channels of one pixel, and a quad of one row of the filters.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Fetched Fetch(Window window, TapCursor at, int thread)
    {
        int pixel = loader.PixelIndex(window, at), quad = at.Chunk * (GemmTile.Step / 4);
        int row = at.Chunk * GemmTile.Step + thread / GemmTile.ColumnQuads,
            column = Grid.IdxY * GemmTile.ColumnQuads + thread % GemmTile.ColumnQuads;
        return new Fetched(loader.Channels(pixel, quad), loader.Channels(pixel, quad + 1), loader.Filters(at, row, column));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Store(RegisterTile sums, int thread)
    {
        int low = GemmTile.RowOf(thread, 0), high = GemmTile.RowOf(thread, 1);
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
        int m = Grid.IdxX * GemmTile.Rows + row, low = GemmTile.ColumnOf(thread, 0), high = GemmTile.ColumnOf(thread, 1);
        if (!loader.HasPixel(m)) return;
        if (low < target.Columns) target.Store(Grid.IdxZ, m, low, sums.Low);
        if (high < target.Columns) target.Store(Grid.IdxZ, m, high, sums.High);
    }

    /// <summary>What a thread has loaded and not yet stored to shared memory.</summary>
    private readonly struct Fetched(V4 a0, V4 a1, V4 b)
    {
        /// <summary>A is transposed on the way, so that its rows are adjacent: the lanes of a warp write adjacent words.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Stage(ArrayView<V4> sharedA, ArrayView<V4> sharedB, int half, int thread)
        {
            ArrayView<float> rows = sharedA.Cast<float>();
            int to = half * 4 * GemmTile.QuadsOfA + thread;
            rows[to] = a0.X;
            rows[to + GemmTile.Rows] = a0.Y;
            rows[to + 2 * GemmTile.Rows] = a0.Z;
            rows[to + 3 * GemmTile.Rows] = a0.W;
            rows[to + 4 * GemmTile.Rows] = a1.X;
            rows[to + 5 * GemmTile.Rows] = a1.Y;
            rows[to + 6 * GemmTile.Rows] = a1.Z;
            rows[to + 7 * GemmTile.Rows] = a1.W;
            sharedB[half * GemmTile.QuadsOfB + thread] = b;
        }
    }
}
