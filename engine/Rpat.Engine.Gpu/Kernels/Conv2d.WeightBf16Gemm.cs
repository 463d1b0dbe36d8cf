using ILGPU;

namespace Rpat.Engine.Gpu.Kernels;

/// <summary>
/// The weight gradient on tensor cores in bfloat16: rows are taps × channels, columns are filters, and a step takes 32 pixels. Lane p of
/// each warp walks over the step's pixel p, and the others are told by it where that pixel is. Factors are staged as they are in memory and
/// transposed as fragments are loaded: columns, and rows without a view, are copied two steps ahead without passing through registers;
/// other rows pass through registers, one step ahead. Eight channels move at once if the quads of a pixel are even in number, of the input
/// and of the output; if not, four, and rows pass through registers with any view.
/// </summary>
/// <remarks>
/// A thread's sums are filters 2t, 2t + 1, 2t + 8 and 2t + 9 of sixteen (t = lane % 4), and are stored as a quad; <see cref="SumWeights"/>
/// puts them in order.
/// </remarks>
internal readonly struct WeightBf16Gemm<V>(WeightLoader<Bf16> loader, WeightTarget target) : IKernel where V : struct, IView
{
    // Bytes: [32 pixels][17 of rows, 9 of columns][16], which avoids bank conflicts.
    private const int Pixels = 32, StrideOfA = 17 * 16, StrideOfB = 9 * 16, StageOfA = Pixels * StrideOfA, StageOfB = Pixels * StrideOfB;

    /// <summary>Whether rows are copied without passing through registers.</summary>
    private static bool Copies
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => V.Whole && !V.Affine && !V.Relu;
    }

    private static int FirstB
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (Copies ? 3 : 2) * StageOfA;
    }

    /// <summary>Bytes of shared memory.</summary>
    public static int Shared => FirstB + 3 * StageOfB;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        Mma.Begin();
        int thread = Group.IdxX, first = loader.First, rest = loader.End - first;
        RowCursor row = loader.RowAt(Grid.IdxX * 16 + (thread & 15));
        View view = ViewOf(row);
        PixelCursor pixel = loader.PixelAt(first + (thread & Pixels - 1));
        int column = loader.Column(2 * (thread & 7)) & ~1;
        ulong second = (ulong)(8L * (loader.Column(2 * (thread & 7) + 1) - column)), step = (ulong)(8L * Pixels * loader.Columns);
        ulong gradient = loader.GradientAddress((first + (thread >> 3)) * loader.Columns + column);
        int toRows = (thread >> 4) * StrideOfA + (thread & 15) * 16;
        int toColumns = FirstB + (thread >> 3) * StrideOfB + (thread & 7) * 16;
        int a = ((thread & 7) + (thread >> 4 & 1) * 8) * StrideOfA + (8 * (thread >> 5 & 1) + (thread >> 3 & 1)) * 16;
        int b = FirstB + (thread & 15) * StrideOfB + (4 * (thread >> 6) + (thread >> 4 & 1)) * 16;
        CopyStep(gradient, second, step, pixel, rest, row, thread, toRows, toColumns);
        if (!Copies) StageRows(FetchRows(pixel, rest, row, thread), view, toRows);
        else pixel = loader.Advance(pixel);
        gradient += step;
        CopyStep(gradient, second, step, pixel, rest - Pixels, row, thread, toRows + StageOfA, toColumns + StageOfB);
        AsyncCopy.WaitForAllButLast();
        Group.Barrier();
        int read = 0, half = 0;
        while (rest > 0)
        {
            int write = read == 0 ? 2 : read - 1;
            gradient += step;
            pixel = loader.Advance(pixel);
            CopyStep(
                gradient, second, step, pixel, rest - 2 * Pixels, row, thread, toRows + write * StageOfA, toColumns + write * StageOfB);
            if (Copies) Multiply(a + read * StageOfA, b + read * StageOfB);
            else
            {
                Rows rows = FetchRows(pixel, rest - Pixels, row, thread);
                Multiply(a + half * StageOfA, b + read * StageOfB);
                half ^= 1;
                StageRows(rows, view, toRows + half * StageOfA);
            }
            read = read == 2 ? 0 : read + 1;
            rest -= Pixels;
            AsyncCopy.WaitForAllButLast();
            Group.Barrier();
        }
        AsyncCopy.Wait();
        if (Copies) Group.Barrier(); // results go where the copies that were ahead have arrived
        Mma.PutTop(16 * thread);
        Store(0, thread);
        Mma.PutBottom(16 * thread);
        Store(2, thread);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Multiply(int a, int b)
    {
        MultiplyWords(a, b);
        MultiplyWords(a + Pixels / 2 * StrideOfA, b + Pixels / 2 * StrideOfB);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void MultiplyWords(int a, int b)
    {
        Mma.LoadTransposedA(a);
        Mma.LoadTransposedB(b);
        Mma.MultiplyBf16();
    }

    /// <summary>Starts copying a step, of whose pixels <paramref name="rest"/> are in the split.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void CopyStep(
        ulong gradient, ulong second, ulong step, PixelCursor own, int rest, RowCursor row, int thread, int toRows, int toColumns)
    {
        CopyColumn(gradient, second, thread >> 3 < rest, toColumns);
        CopyColumn(gradient + step / 2, second, (thread >> 3) + Pixels / 2 < rest, toColumns + Pixels / 2 * StrideOfB);
        if (Copies)
        {
            Window window = loader.WindowOf(own, (thread & Pixels - 1) < rest);
            int pixel = thread >> 4;
            CopyRow(window, pixel, row, toRows);
            CopyRow(window, pixel + 8, row, toRows + 8 * StrideOfA);
            CopyRow(window, pixel + 16, row, toRows + 16 * StrideOfA);
            CopyRow(window, pixel + 24, row, toRows + 24 * StrideOfA);
        }
        AsyncCopy.Commit();
    }

    /// <summary>Eight columns of a pixel; where the second quad does not exist, the first once more.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void CopyColumn(ulong from, ulong second, bool counts, int to)
    {
        if (V.Whole) AsyncCopy.One(to, from, counts ? 16 : 0);
        else AsyncCopy.Pair(to, from, from + second, counts ? 8 : 0);
    }

    /// <summary>Eight rows of a pixel.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void CopyRow(Window own, int lane, RowCursor row, int to)
    {
        int pixel = loader.SourcePixel(own.Of(lane), row);
        AsyncCopy.One(to, loader.StoredAddress(pixel * loader.Quads + 2 * row.Unit), pixel >= 0 ? 16 : 0);
    }

    /// <summary>Distance of a unit's second quad; where there is none, its rows do not exist either.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int Second(int quad) => quad + 1 < loader.Quads ? 1 : 0;

    /// <summary>Eight rows at four of the step's pixels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Rows FetchRows(PixelCursor own, int rest, RowCursor row, int thread)
    {
        Window window = loader.WindowOf(own, (thread & Pixels - 1) < rest);
        int pixel = thread >> 4;
        return new Rows(
            FetchUnit(window, pixel, row), FetchUnit(window, pixel + 8, row), FetchUnit(window, pixel + 16, row),
            FetchUnit(window, pixel + 24, row));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Unit FetchUnit(Window own, int lane, RowCursor row)
    {
        int pixel = loader.SourcePixel(own.Of(lane), row), inside = pixel >= 0 ? pixel : 0, counts = pixel >= 0 ? 1 : 0;
        if (V.Whole)
        {
            V4 words = loader.StoredWords(inside * loader.Units + row.Unit);
            return new Unit(words, words, counts);
        }
        int quad = 2 * row.Unit, index = inside * loader.Quads + quad, second = Second(quad);
        return new Unit(loader.Seen(index, quad), loader.Seen(index + second, quad + second), counts);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private View ViewOf(RowCursor row)
    {
        V4 none = new(0);
        if (!V.Affine) return new View(none, none, none, none);
        int quad = 2 * row.Unit;
        return new View(loader.Map.Scale(quad), loader.Map.Shift(quad), loader.Map.Scale(quad + 1), loader.Map.Shift(quad + 1));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StageRows(Rows rows, View view, int to)
    {
        StageUnit(to, rows.A, view);
        StageUnit(to + 8 * StrideOfA, rows.B, view);
        StageUnit(to + 16 * StrideOfA, rows.C, view);
        StageUnit(to + 24 * StrideOfA, rows.D, view);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StageUnit(int to, Unit unit, View view)
    {
        Unit wide = V.Whole ? unit.Wide : unit, seen = V.Affine ? view.Of(wide) : wide;
        if (V.Relu) RoundedStore.ReluBf16(to, seen.Low, seen.High, seen.Counts);
        else RoundedStore.Bf16(to, seen.Low, seen.High, seen.Counts);
    }

    /// <summary>Stores two row blocks; each thread reads back what it put into shared memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Store(int firstBlock, int thread)
    {
        ArrayView<V4> results = SharedMemory.GetDynamic<V4>();
        int quad = Grid.IdxY * GemmTile.ColumnQuads + (thread >> 6) * 8 + (thread & 3);
        int first = Grid.IdxX * GemmTile.Rows + 64 * (thread >> 5 & 1) + 16 * firstBlock + (thread >> 2 & 7);
        for (int q = 0; q < 8; q++)
            target.Store(Grid.IdxZ, first + 16 * (q >> 2) + 8 * (q & 1), quad + (q >> 1 & 1) * 4, results[q * GemmTile.Threads + thread]);
    }

    /// <summary>Two quads, or four words that hold them, and whether they are zeros.</summary>
    private readonly struct Unit(V4 low, V4 high, int counts)
    {
        public readonly V4 Low = low, High = high;
        public readonly int Counts = counts;

        /// <summary>The quads of the words.</summary>
        public Unit Wide
        {
            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            get => new(Bfloat16.Wide(Low.X, Low.Y), Bfloat16.Wide(Low.Z, Low.W), Counts);
        }
    }

    /// <summary>Scales and shifts of a unit.</summary>
    private readonly struct View(V4 scale, V4 shift, V4 highScale, V4 highShift)
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Unit Of(Unit x) => new(scale * x.Low + shift, highScale * x.High + highShift, x.Counts);
    }

    private readonly struct Rows(Unit a, Unit b, Unit c, Unit d)
    {
        public readonly Unit A = a, B = b, C = c, D = d;
    }
}
