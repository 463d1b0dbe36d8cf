using ILGPU;

namespace Rpat.Engine.Gpu.Kernels;

/// <summary>
/// The weight gradient on tensor cores: rows are taps × channels, columns are filters, and a step takes sixteen words of pixels. Lane p of
/// each warp walks over the step's pixel p, and the others are told by it where that pixel is. bfloat16 factors are staged as they are in
/// memory and transposed as fragments are loaded; TF32 factors, which that cannot be done with, are staged as the fragments need them.
/// </summary>
/// <remarks>
/// TF32, for eight pixels: 16 bytes hold pixels t and t + 4 (t = 0…3) of two rows, channels 0 and 1 or 2 and 3 of one quad, or of two
/// columns, channels e and 2 + e (e = 0, 1). Quads of the tile follow each other; strides in units of 16 bytes avoid bank conflicts.
/// </remarks>
internal readonly struct WeightTensorGemm<T, V>(WeightLoader loader, WeightTarget target)
    : IKernel where T : struct, IWord where V : struct, IView
{
    private static int Pixels
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 16 * T.Factors;
    }

    // Bytes: TF32 [8 of pixels][66 of rows, 34 of columns][16], bfloat16 [32 pixels][17 of rows, 9 of columns][16].
    private static int StrideOfA
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => T.Factors == 1 ? 66 * 16 : 17 * 16;
    }

    private static int StrideOfB
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => T.Factors == 1 ? 34 * 16 : 9 * 16;
    }

    private static int Lines
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => T.Factors == 1 ? 8 : 32;
    }

    private static int FirstB
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Lines * StrideOfA;
    }

    private static int StageBytes
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Lines * (StrideOfA + StrideOfB);
    }

    /// <summary>Bytes of shared memory.</summary>
    public static int Shared => 2 * StageBytes;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        Mma.Begin();
        int thread = Group.IdxX, first = loader.First, rest = loader.End - first;
        RowCursor row = loader.RowAt(Grid.IdxX * (32 / T.Factors) + UnitOf(thread));
        View view = ViewOf(row);
        PixelCursor pixel = loader.PixelAt(first + (thread & Pixels - 1));
        int column = loader.Column(FirstColumn(thread)), gradient = (first + GradientPixel(thread)) * loader.Columns + column;
        int second = loader.Column(FirstColumn(thread) + 1) - column;
        int a = LaneInA(thread), b = LaneInB(thread), toRows = RowPlace(thread), toColumns = ColumnPlace(thread), turn = StageBytes;
        Stage(FetchRows(pixel, rest, row, thread), FetchColumns(gradient, second, rest, thread), view, toRows, toColumns);
        Group.Barrier();
        toRows += turn;
        toColumns += turn;
        while (rest > 0)
        {
            rest -= Pixels;
            gradient += Pixels * loader.Columns;
            pixel = loader.Advance(pixel);
            Rows rows = FetchRows(pixel, rest, row, thread);
            Columns columns = FetchColumns(gradient, second, rest, thread);
            Multiply(a, b);
            Stage(rows, columns, view, toRows, toColumns);
            a += turn;
            b += turn;
            toRows -= turn;
            toColumns -= turn;
            turn = -turn;
            Group.Barrier();
        }
        Mma.PutTop(16 * thread);
        Store(0, thread);
        Mma.PutBottom(16 * thread);
        Store(2, thread);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int UnitOf(int thread) => T.Factors == 1 ? thread & 31 : thread & 15;

    /// <summary>Byte of the fragments of A that a lane reads first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int LaneInA(int thread)
    {
        int warp = thread >> 5 & 1;
        return T.Factors == 1
            ? (thread & 3) * StrideOfA + (32 * warp + (thread >> 2 & 7)) * 16
            : ((thread & 7) + (thread >> 4 & 1) * 8) * StrideOfA + (8 * warp + (thread >> 3 & 1)) * 16;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int LaneInB(int thread)
    {
        int warp = thread >> 6;
        return FirstB + (T.Factors == 1
            ? (thread & 3) * StrideOfB + ((thread >> 2 & 1) * 17 + 8 * warp + (thread >> 3 & 3)) * 16
            : (thread & 15) * StrideOfB + (4 * warp + (thread >> 4 & 1)) * 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Multiply(int a, int b)
    {
        MultiplyWords(a, b);
        MultiplyWords(a + Lines / 2 * StrideOfA, b + Lines / 2 * StrideOfB);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void MultiplyWords(int a, int b)
    {
        if (T.Factors == 1)
        {
            Mma.LoadReadyA(a);
            Mma.LoadReadyB(b);
        }
        else
        {
            Mma.LoadTransposedA(a);
            Mma.LoadTransposedB(b);
        }
        T.Multiply();
    }

    /// <summary>A unit of rows at four of the step's pixels, of which <paramref name="rest"/> are in the split.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Rows FetchRows(PixelCursor own, int rest, RowCursor row, int thread)
    {
        Window window = loader.WindowOf(own, (thread & Pixels - 1) < rest);
        int pixel = thread / (32 / T.Factors), by = 4 * T.Factors;
        return new Rows(
            FetchUnit(window, pixel, row), FetchUnit(window, pixel + by, row), FetchUnit(window, pixel + 2 * by, row),
            FetchUnit(window, pixel + 3 * by, row));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Unit FetchUnit(Window own, int lane, RowCursor row)
    {
        var window = new Window(Warp.Shuffle(own.Pixel, lane), Warp.Shuffle(own.Y, lane), Warp.Shuffle(own.X, lane));
        int pixel = loader.SourcePixel(window, row), quad = row.Unit * T.Factors;
        int index = (pixel >= 0 ? pixel : 0) * loader.Quads + quad;
        V4 low = loader.Stored(index);
        return new Unit(low, T.Factors == 2 ? loader.Stored(index + Second(quad)) : low, pixel >= 0 ? 1 : 0);
    }

    /// <summary>Distance of a unit's second quad; where there is none, its rows do not exist either.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int Second(int quad) => quad + 1 < loader.Quads ? 1 : 0;

    /// <summary>Quads of columns at two of the step's pixels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Columns FetchColumns(int gradient, int second, int rest, int thread)
    {
        int later = T.Factors == 1 ? 4 : 16, pixel = GradientPixel(thread);
        return new Columns(
            FetchColumn(gradient, second, pixel < rest), FetchColumn(gradient + later * loader.Columns, second, pixel + later < rest));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Unit FetchColumn(int gradient, int second, bool counts)
    {
        int index = counts ? gradient : 0;
        V4 first = loader.Gradients(index);
        return new Unit(first, T.Factors == 2 ? loader.Gradients(index + second) : first, counts ? 1 : 0);
    }

    /// <summary>The first quad of columns that a thread loads.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int FirstColumn(int thread) => T.Factors == 1 ? thread & 15 : (thread & 7) * 2;

    /// <summary>The first of the two pixels of a step whose columns a thread loads.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int GradientPixel(int thread) => T.Factors == 1 ? (thread >> 6) * 8 + (thread >> 4 & 3) : thread >> 3;

    /// <summary>Byte of the first unit of rows that a thread stages.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int RowPlace(int thread) => thread / (32 / T.Factors) * StrideOfA + UnitOf(thread) * 16;

    /// <summary>Byte of the first quad of columns that a thread stages.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int ColumnPlace(int thread) => FirstB + (T.Factors == 1
        ? (thread >> 4) * StrideOfB + (thread & 15) * 16
        : (thread >> 3) * StrideOfB + (thread >> 1 & 3) * 32 + (thread & 1) * 8);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private View ViewOf(RowCursor row)
    {
        V4 none = new(0);
        if (!V.Affine) return new View(none, none, none, none);
        int quad = row.Unit * T.Factors, second = quad + Second(quad);
        return new View(loader.Map.Scale(quad), loader.Map.Shift(quad), loader.Map.Scale(second), loader.Map.Shift(second));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Stage(Rows rows, Columns columns, View view, int to, int toColumns)
    {
        Rows seen = V.Affine ? new Rows(view.Of(rows.A), view.Of(rows.B), view.Of(rows.C), view.Of(rows.D)) : rows;
        if (T.Factors == 1)
        {
            StagePixels(to, seen.A.Kept, seen.B.Kept);
            StagePixels(to + 4 * StrideOfA, seen.C.Kept, seen.D.Kept);
            StageGradients(toColumns, columns.A.Kept, columns.B.Kept);
            return;
        }
        StageUnit(to, seen.A);
        StageUnit(to + 8 * StrideOfA, seen.B);
        StageUnit(to + 16 * StrideOfA, seen.C);
        StageUnit(to + 24 * StrideOfA, seen.D);
        RoundedStore.Bf16Halves(toColumns, columns.A.Low, columns.A.High, columns.A.Counts);
        RoundedStore.Bf16Halves(toColumns + 16 * StrideOfB, columns.B.Low, columns.B.High, columns.B.Counts);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StagePixels(int to, V4 first, V4 later)
    {
        StageRows(to, new V4(first.X, first.Y, later.X, later.Y));
        StageRows(to + 32 * 16, new V4(first.Z, first.W, later.Z, later.W));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StageRows(int to, V4 words)
    {
        if (V.Relu) T.StageRelu(to, words, words, 1);
        else T.Stage(to, words, words, 1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StageUnit(int to, Unit unit)
    {
        if (V.Relu) T.StageRelu(to, unit.Low, unit.High, unit.Counts);
        else T.Stage(to, unit.Low, unit.High, unit.Counts);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StageGradients(int to, V4 first, V4 later)
    {
        V4 even = new(first.X, later.X, first.Z, later.Z), odd = new(first.Y, later.Y, first.W, later.W);
        T.Stage(to, even, even, 1);
        T.Stage(to + 17 * 16, odd, odd, 1);
    }

    /// <summary>Stores two row blocks; each thread reads back what it put into shared memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Store(int firstBlock, int thread)
    {
        ArrayView<V4> results = SharedMemory.GetDynamic<V4>();
        int quad = Grid.IdxY * GemmTile.ColumnQuads + (thread >> 6) * 8 + (thread & 3), first = Grid.IdxX * GemmTile.Rows;
        for (int q = 0; q < 8; q++)
            target.Store(Grid.IdxZ, first + RowOf(firstBlock + (q >> 2), q & 1, thread), quad + (q >> 1 & 1) * 4,
                results[q * GemmTile.Threads + thread]);
    }

    /// <summary>The row of the tile that a fragment's row, of its upper or lower eight, holds.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int RowOf(int block, int lower, int thread)
    {
        int warp = thread >> 5 & 1, g = thread >> 2 & 7;
        return T.Factors == 1 ? 32 * block + 4 * g + 2 * warp + lower : 64 * warp + 16 * block + 8 * lower + g;
    }

    /// <summary>One or two quads, and whether they are zeros.</summary>
    private readonly struct Unit(V4 low, V4 high, int counts)
    {
        public readonly V4 Low = low, High = high;
        public readonly int Counts = counts;

        /// <summary>The first quad, or zeros.</summary>
        public V4 Kept
        {
            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            get => Low.If(Counts != 0);
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

    private readonly struct Columns(Unit a, Unit b)
    {
        public readonly Unit A = a, B = b;
    }
}
