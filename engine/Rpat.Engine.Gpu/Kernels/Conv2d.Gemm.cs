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
    public static int RowQuad(int thread) => thread >> 3;

    /// <summary>First quad of this thread's columns; the second is half a tile further.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int ColumnQuad(int thread) => thread & ColumnThreads - 1;

    /// <summary>
    /// Adds one step's product of the staged factors, eight outer products. Deliberately a loop: the compiler moves arithmetic down as far
    /// as it can, but not out of a loop; unrolled, all factors would have to wait in registers past the next barrier.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RegisterTile Multiply(RegisterTile c, ArrayView<V4> a, ArrayView<V4> b, int half, int thread)
    {
        int i = half * QuadsOfA + RowQuad(thread), j = half * QuadsOfB + ColumnQuad(thread);
        RegisterTile sums = c;
        for (int k = 0; k < Step; k += 2)
        {
            // Views, so that the loads have constant distances from one address.
            ArrayView<V4> rows = a.SubView(i + k * RowQuads), columns = b.SubView(j + k * ColumnQuads);
            sums = sums.AddOuter(rows[0], rows[RowThreads], columns[0], columns[ColumnThreads]).AddOuter(
                rows[RowQuads], rows[RowQuads + RowThreads], columns[ColumnQuads], columns[ColumnQuads + ColumnThreads]);
        }
        return sums;
    }

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
internal readonly struct ConvGemm<V>(PixelLoader<F32> loader, ArrayView<V4> filters, Target<F32> target) : IKernel
    where V : struct, IView
{
    private const int Quads = GemmTile.Step / 4;

    private readonly ArrayView<V4> _filters = filters;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        ArrayView<V4> a = SharedMemory.Allocate<V4>(2 * GemmTile.QuadsOfA), b = SharedMemory.Allocate<V4>(2 * GemmTile.QuadsOfB);
        ArrayView<int> places = SharedMemory.Allocate<int>(GemmTile.Rows);
        int thread = Group.IdxX, stride = GemmTile.Step * target.Columns, filter = FirstFilter(thread), half = 0;
        places[thread] = loader.PlaceOf(thread, target);
        Fetched next = Fetch(loader.Start(thread, V.Whole ? 1 : Quads), filter);
        Stage(next, a, b, 0, thread);
        Group.Barrier();
        RegisterTile sums = RegisterTile.Zero;
        for (int left = loader.Steps; left > 0; left--)
        {
            filter += stride;
            next = Fetch(next.After, filter);
            sums = GemmTile.Multiply(sums, a, b, half, thread);
            half ^= 1;
            Stage(next, a, b, half, thread);
            Group.Barrier();
        }
        Store(sums, places, thread);
    }

    /// <summary>Where a thread's quad of filters lies in the split's first step; columns that do not exist read others.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int FirstFilter(int thread)
    {
        int column = Grid.IdxY * GemmTile.ColumnQuads + (thread & GemmTile.ColumnQuads - 1), last = target.Columns - 1;
        return (loader.FirstStep * GemmTile.Step + (thread >> 4)) * target.Columns + (column < last ? column : last);
    }

    /// <summary>
    /// A thread's part of a step: eight channels of one pixel, some other pixel's in the padding, and a quad of one row of the filters.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Fetched Fetch(SourceCursor at, int filter)
    {
        V4 b = _filters[filter];
        if (!V.Whole)
        {
            SourceCursor later = loader.Next(at);
            return new Fetched(loader.Quad(at), loader.Quad(later), b, 1, 0, loader.Next(later));
        }
        bool counts = loader.Has(at);
        int index = Quads * (counts ? at.Index : 0);
        return new Fetched(loader.Stored(index), loader.Stored(index + 1), b, counts ? 1 : 0, Quads * at.Unit, loader.Next(at));
    }

    /// <summary>
    /// Applies the view. A is transposed on the way, so that its rows are adjacent: the lanes of a warp write adjacent words.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Stage(Fetched next, ArrayView<V4> sharedA, ArrayView<V4> sharedB, int half, int thread)
    {
        ArrayView<float> rows = sharedA.Cast<float>().SubView(half * 4 * GemmTile.QuadsOfA + thread);
        V4 low = Seen(next.A0, next.Quad, next.Counts), high = Seen(next.A1, next.Quad + 1, next.Counts);
        rows[0] = low.X;
        rows[GemmTile.Rows] = low.Y;
        rows[2 * GemmTile.Rows] = low.Z;
        rows[3 * GemmTile.Rows] = low.W;
        rows[4 * GemmTile.Rows] = high.X;
        rows[5 * GemmTile.Rows] = high.Y;
        rows[6 * GemmTile.Rows] = high.Z;
        rows[7 * GemmTile.Rows] = high.W;
        sharedB[half * GemmTile.QuadsOfB + thread] = next.B;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private V4 Seen(V4 x, int quad, int counts)
    {
        if (!V.Whole) return x;
        V4 v = V.Affine ? loader.Map.Scale(quad) * x + loader.Map.Shift(quad) : x;
        return (V.Relu ? v.Relu() : v).If(counts != 0);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Store(RegisterTile sums, ArrayView<int> places, int thread)
    {
        int low = GemmTile.RowOf(thread, 0), high = GemmTile.RowOf(thread, 1);
        Store(places[low], sums.R0, thread);
        Store(places[low + 1], sums.R1, thread);
        Store(places[low + 2], sums.R2, thread);
        Store(places[low + 3], sums.R3, thread);
        Store(places[high], sums.R4, thread);
        Store(places[high + 1], sums.R5, thread);
        Store(places[high + 2], sums.R6, thread);
        Store(places[high + 3], sums.R7, thread);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Store(int place, TileRow sums, int thread)
    {
        int low = GemmTile.ColumnOf(thread, 0), high = GemmTile.ColumnOf(thread, 1);
        if (place < 0) return;
        if (low < target.Columns) target.Store(place, low, sums.Low);
        if (high < target.Columns) target.Store(place, high, sums.High);
    }

    /// <summary>
    /// What a thread has loaded and not yet stored to shared memory: its quads, whether they are inside an image, the first one's channels,
    /// and where the next step's lie.
    /// </summary>
    private readonly struct Fetched(V4 a0, V4 a1, V4 b, int counts, int quad, SourceCursor after)
    {
        public readonly V4 A0 = a0, A1 = a1, B = b;
        public readonly int Counts = counts, Quad = quad;
        public readonly SourceCursor After = after;
    }
}
