using ILGPU;

namespace Rpat.Engine.Gpu.Kernels;

/// <summary>
/// The weight gradient on tensor cores in TF32: rows are taps × channels, columns are filters, and a step takes sixteen pixels. Lane p of
/// each warp walks over the step's pixel p, and the others are told by it where that pixel is. Factors are staged as the fragments need
/// them, since TF32 is not transposed as fragments are loaded.
/// </summary>
/// <remarks>
/// For eight pixels: 16 bytes hold pixels t and t + 4 (t = 0…3) of two rows, channels 0 and 1 or 2 and 3 of one quad, or of two columns,
/// channels e and 2 + e (e = 0, 1). Quads of the tile follow each other; strides in units of 16 bytes avoid bank conflicts.
/// </remarks>
internal readonly struct WeightTf32Gemm<V>(WeightLoader<F32> loader, WeightTarget target) : IKernel where V : struct, IView
{
    // Bytes: [8 of pixels][66 of rows, 34 of columns][16].
    private const int Pixels = 16, Lines = 8, StrideOfA = 66 * 16, StrideOfB = 34 * 16, FirstB = Lines * StrideOfA,
        StageBytes = Lines * (StrideOfA + StrideOfB);

    /// <summary>Bytes of shared memory.</summary>
    public const int Shared = 2 * StageBytes;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        Mma.Begin();
        int thread = Group.IdxX, first = loader.First, rest = loader.End - first;
        RowCursor row = loader.RowAt(Grid.IdxX * 32 + (thread & 31));
        V4 none = new(0), scale = V.Affine ? loader.Map.Scale(row.Unit) : none, shift = V.Affine ? loader.Map.Shift(row.Unit) : none;
        PixelCursor pixel = loader.PixelAt(first + (thread & Pixels - 1));
        int gradient = (first + GradientPixel(thread)) * loader.Columns + loader.Column(thread & 15);
        int a = LaneInA(thread), b = LaneInB(thread), turn = StageBytes;
        int toRows = (thread >> 5) * StrideOfA + (thread & 31) * 16, toColumns = FirstB + (thread >> 4) * StrideOfB + (thread & 15) * 16;
        Stage(FetchRows(pixel, rest, row, thread), FetchColumns(gradient, rest, thread), scale, shift, toRows, toColumns);
        Group.Barrier();
        toRows += turn;
        toColumns += turn;
        while (rest > 0)
        {
            rest -= Pixels;
            gradient += Pixels * loader.Columns;
            pixel = loader.Advance(pixel);
            Rows rows = FetchRows(pixel, rest, row, thread);
            Columns columns = FetchColumns(gradient, rest, thread);
            Multiply(a, b);
            Stage(rows, columns, scale, shift, toRows, toColumns);
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

    /// <summary>Byte of the fragments of A that a lane reads first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int LaneInA(int thread) => (thread & 3) * StrideOfA + (32 * (thread >> 5 & 1) + (thread >> 2 & 7)) * 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int LaneInB(int thread) =>
        FirstB + (thread & 3) * StrideOfB + ((thread >> 2 & 1) * 17 + 8 * (thread >> 6) + (thread >> 3 & 3)) * 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Multiply(int a, int b)
    {
        MultiplyWords(a, b);
        MultiplyWords(a + Lines / 2 * StrideOfA, b + Lines / 2 * StrideOfB);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void MultiplyWords(int a, int b)
    {
        Mma.LoadReadyA(a);
        Mma.LoadReadyB(b);
        Mma.MultiplyTf32();
    }

    /// <summary>A quad of rows at four of the step's pixels, of which <paramref name="rest"/> are in the split.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Rows FetchRows(PixelCursor own, int rest, RowCursor row, int thread)
    {
        Window window = loader.WindowOf(own, (thread & Pixels - 1) < rest);
        int pixel = thread >> 5;
        return new Rows(
            FetchRow(window, pixel, row), FetchRow(window, pixel + 4, row), FetchRow(window, pixel + 8, row),
            FetchRow(window, pixel + 12, row));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Quad FetchRow(Window own, int lane, RowCursor row)
    {
        int pixel = loader.SourcePixel(own.Of(lane), row);
        return new Quad(loader.Stored((pixel >= 0 ? pixel : 0) * loader.Quads + row.Unit), pixel >= 0 ? 1 : 0);
    }

    /// <summary>Quads of columns at two of the step's pixels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Columns FetchColumns(int gradient, int rest, int thread)
    {
        int pixel = GradientPixel(thread);
        return new Columns(FetchColumn(gradient, pixel < rest), FetchColumn(gradient + 4 * loader.Columns, pixel + 4 < rest));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Quad FetchColumn(int gradient, bool counts) => new(loader.Gradients(counts ? gradient : 0), counts ? 1 : 0);

    /// <summary>The first of the two pixels of a step whose columns a thread loads.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int GradientPixel(int thread) => (thread >> 6) * 8 + (thread >> 4 & 3);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Stage(Rows rows, Columns columns, V4 scale, V4 shift, int to, int toColumns)
    {
        StagePixels(to, Seen(rows.A, scale, shift), Seen(rows.B, scale, shift));
        StagePixels(to + 4 * StrideOfA, Seen(rows.C, scale, shift), Seen(rows.D, scale, shift));
        StageGradients(toColumns, columns.A.Kept, columns.B.Kept);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V4 Seen(Quad x, V4 scale, V4 shift) => V.Affine ? new Quad(scale * x.Value + shift, x.Counts).Kept : x.Kept;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StagePixels(int to, V4 first, V4 later)
    {
        StageRows(to, new V4(first.X, first.Y, later.X, later.Y));
        StageRows(to + 32 * 16, new V4(first.Z, first.W, later.Z, later.W));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StageRows(int to, V4 words)
    {
        if (V.Relu) RoundedStore.ReluTf32(to, words, 1);
        else RoundedStore.Tf32(to, words, 1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StageGradients(int to, V4 first, V4 later)
    {
        RoundedStore.Tf32(to, new V4(first.X, later.X, first.Z, later.Z), 1);
        RoundedStore.Tf32(to + 17 * 16, new V4(first.Y, later.Y, first.W, later.W), 1);
    }

    /// <summary>Stores two row blocks; each thread reads back what it put into shared memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Store(int firstBlock, int thread)
    {
        ArrayView<V4> results = SharedMemory.GetDynamic<V4>();
        int quad = Grid.IdxY * GemmTile.ColumnQuads + (thread >> 6) * 8 + (thread & 3);
        int first = Grid.IdxX * GemmTile.Rows + 4 * (thread >> 2 & 7) + 2 * (thread >> 5 & 1);
        for (int q = 0; q < 8; q++)
            target.Store(Grid.IdxZ, first + 32 * (firstBlock + (q >> 2)) + (q & 1), quad + (q >> 1 & 1) * 4,
                results[q * GemmTile.Threads + thread]);
    }

    /// <summary>A quad, and whether it is zeros.</summary>
    private readonly struct Quad(V4 value, int counts)
    {
        public readonly V4 Value = value;
        public readonly int Counts = counts;

        /// <summary>The quad, or zeros.</summary>
        public V4 Kept
        {
            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            get => Value.If(Counts != 0);
        }
    }

    private readonly struct Rows(Quad a, Quad b, Quad c, Quad d)
    {
        public readonly Quad A = a, B = b, C = c, D = d;
    }

    private readonly struct Columns(Quad a, Quad b)
    {
        public readonly Quad A = a, B = b;
    }
}
