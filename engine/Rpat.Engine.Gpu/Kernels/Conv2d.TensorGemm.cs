using ILGPU;

namespace Rpat.Engine.Gpu.Kernels;

/// <summary>The tile of a group of four warps: 128 pixels × 64 outputs, or 128.</summary>
internal interface ITile
{
    static abstract bool Wide { get; }
}

/// <summary>64 outputs, 64×32 per warp.</summary>
internal readonly struct Narrow : ITile
{
    public static bool Wide => false;
}

/// <summary>128 outputs, 64×64 per warp, for layers with enough tiles.</summary>
internal readonly struct Wide : ITile
{
    static bool ITile.Wide => true;
}

/// <summary>
/// Shared memory of <see cref="ConvTensorGemm{T,V,S}"/>, in bytes: for each pixel of A and each output of B one line of sixteen words along
/// the reduction, whose quads are XOR-swizzled by the line's number, so that neither the threads that write quads nor the lanes that read a
/// fragment have bank conflicts. What is copied has three stages, what passes through registers two.
/// </summary>
internal static class LineTile
{
    /// <summary>Quads of words of a line.</summary>
    public const int Quads = 4;

    public const int Stride = 16 * Quads, StageOfA = GemmTile.Rows * Stride;

    /// <summary>Lines of filters are padded to a multiple of this.</summary>
    public const int Outputs = 64;

    /// <summary>Bytes that half of a warp's rows take in 32 columns, when they are staged where the factors were.</summary>
    public const int Results = 8 * 2048;

    /// <summary>The output of a line, in the order of <see cref="Mma"/>'s columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int OutputOf(int line) => (line & ~15) + ((line >> 1 & 3) << 2) + (line >> 3 & 1) * 2 + (line & 1);

    /// <summary>Byte of a line's quad in a stage; that of quad q is this of quad 0, XOR 16·q.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Place(int line, int quad) => line * Stride + ((quad ^ line >> 1 & 3) << 4);

    /// <summary>Byte of the words of A that a lane reads first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int LaneInA(int thread) => Place((thread >> 5 & 1) * 64 + (thread & 15), thread >> 4 & 1);

    /// <summary>Byte of the words of B that a lane reads first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int LaneInB(int thread, int columnsOfWarp) =>
        Place((thread >> 6) * columnsOfWarp + (thread & 7) + (thread >> 4 & 1) * 8, thread >> 3 & 1);
}

/// <summary>
/// The forward pass and the input gradient on tensor cores. Filters are stored as lines of rounded factors in the order in which the loop
/// reads them, and copied to shared memory two steps ahead without passing through registers, and so are pixels in bfloat16 without a view.
/// Other pixels pass through registers, one step ahead, where their view is applied and they are rounded, once for all readers.
/// </summary>
/// <param name="lines">Address of the filters.</param>
/// <param name="outputs">Lines of a step of the filters, of all groups.</param>
/// <param name="filters">The filters, for whoever checks what a kernel may read.</param>
internal readonly struct ConvTensorGemm<T, V, S>(PixelLoader<T> loader, ulong lines, int outputs, ArrayView<U4> filters, Target<T> target)
    : IKernel where T : struct, IWord where V : struct, IView where S : struct, ITile
{
    private readonly ArrayView<U4> _filters = filters;

    private static int Columns
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => S.Wide ? 128 : 64;
    }

    private static int StageOfB
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Columns * LineTile.Stride;
    }

    /// <summary>Whether pixels are copied without passing through registers.</summary>
    private static bool Copies
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => T.Factors == 2 && V.Whole && !V.Affine && !V.Relu;
    }

    private static int FirstB
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (Copies ? 3 : 2) * LineTile.StageOfA;
    }

    /// <summary>Bytes of shared memory.</summary>
    public static int Shared => FirstB + 3 * StageOfB;

    /// <summary>Where the rows' places in the output begin, behind the staged results.</summary>
    private static int Places
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (S.Wide ? 2 : 1) * LineTile.Results;
    }

    private static int UnitsOfStep
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => V.Whole ? 1 : LineTile.Quads * T.Factors;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        Mma.Begin();
        if (S.Wide) Mma.BeginRight();
        int thread = Group.IdxX;
        ulong stride = (ulong)(uint)outputs * LineTile.Stride, from = lines + (ulong)(uint)loader.FirstStep * stride
            + (ulong)(uint)(Grid.IdxY * Columns * LineTile.Quads + thread) * 16;
        if (Copies) MultiplyCopies(thread, from, stride);
        else MultiplyStaged(thread, from, stride);
        AsyncCopy.Wait();
        Group.Barrier(); // results go where the copies that were ahead have arrived
        Store(thread);
    }

    /// <summary>The main loop, with pixels that pass through registers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void MultiplyStaged(int thread, ulong first, ulong stride)
    {
        ulong from = first;
        int copy = FirstB + LineTile.Place(thread >> 2, thread & 3), stage = LineTile.Place(thread, 0);
        int a = LineTile.LaneInA(thread), b = FirstB + LineTile.LaneInB(thread, Columns / 2);
        Copy(copy, from);
        AsyncCopy.Commit();
        Copy(copy + StageOfB, from + stride);
        AsyncCopy.Commit();
        copy += 2 * StageOfB;
        from += 2 * stride;
        Fetched next = Fetch(loader.Start(thread, UnitsOfStep));
        Stage(next, stage);
        AsyncCopy.WaitForAllButLast();
        Group.Barrier();
        stage += LineTile.StageOfA;
        int turn = LineTile.StageOfA, read = 0; // addresses are carried along: the compiler would compute them again in each step
        for (int left = loader.Steps; left > 0; left--)
        {
            Copy(copy, from);
            AsyncCopy.Commit();
            copy += read == 0 ? -2 * StageOfB : StageOfB;
            from += stride;
            next = Fetch(next.After);
            Multiply(a, b);
            a += turn;
            b += read == 2 * StageOfB ? -2 * StageOfB : StageOfB;
            read = read == 2 * StageOfB ? 0 : read + StageOfB;
            Stage(next, stage);
            stage -= turn;
            turn = -turn;
            AsyncCopy.WaitForAllButLast();
            Group.Barrier();
        }
    }

    /// <summary>The main loop, with pixels that are copied like filters.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void MultiplyCopies(int thread, ulong first, ulong stride)
    {
        ulong from = first;
        int copy = FirstB + LineTile.Place(thread >> 2, thread & 3), pixel = LineTile.Place(thread, 0);
        int a = LineTile.LaneInA(thread), b = FirstB + LineTile.LaneInB(thread, Columns / 2);
        SourceCursor at = loader.Start(thread, 1), second = loader.Next(at), next = loader.Next(second);
        CopyStep(at, pixel, copy, from);
        CopyStep(second, pixel + LineTile.StageOfA, copy + StageOfB, from + stride);
        from += 2 * stride;
        AsyncCopy.WaitForAllButLast();
        Group.Barrier();
        int read = 0;
        for (int left = loader.Steps; left > 0; left--)
        {
            int write = read == 0 ? 2 : read - 1;
            CopyStep(next, pixel + write * LineTile.StageOfA, copy + write * StageOfB, from);
            from += stride;
            next = loader.Next(next);
            Multiply(a + read * LineTile.StageOfA, b + read * StageOfB);
            read = read == 2 ? 0 : read + 1;
            AsyncCopy.WaitForAllButLast();
            Group.Barrier();
        }
    }

    /// <summary>Starts copying a thread's pixel, zeros in the padding, and its part of the filters.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void CopyStep(SourceCursor at, int pixel, int copy, ulong from)
    {
        AsyncCopy.Line(pixel, pixel ^ 16, pixel ^ 32, pixel ^ 48, loader.LineAddress(at.Index), loader.Has(at) ? 16 : 0);
        Copy(copy, from);
        AsyncCopy.Commit();
    }

    /// <summary>Adjacent threads copy adjacent quads.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Copy(int to, ulong from)
    {
        if (S.Wide) AsyncCopy.Four(to, from);
        else AsyncCopy.Two(to, from);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Multiply(int a, int b)
    {
        MultiplyWords(a, b);
        MultiplyWords(a ^ 32, b ^ 32);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void MultiplyWords(int a, int b)
    {
        Mma.LoadA(a);
        Mma.LoadB(b);
        T.Multiply();
        if (!S.Wide) return;
        Mma.LoadB(b + 32 * LineTile.Stride);
        T.MultiplyRight();
    }

    /// <summary>A thread's part of A: the step's channels of one pixel. In the padding some other pixel is read.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Fetched Fetch(SourceCursor at)
    {
        if (!V.Whole) return FetchQuads(at);
        bool counts = loader.Has(at);
        Line words = loader.StoredLine(counts ? at.Index : 0);
        return new Fetched(words, words, counts ? 1 : 0, at.Unit, loader.Next(at));
    }

    /// <summary>The same, where each quad has a tap of its own.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Fetched FetchQuads(SourceCursor at)
    {
        SourceCursor b = loader.Next(at), c = loader.Next(b), d = loader.Next(c), e = loader.Next(d);
        var low = new Line(loader.Quad(at), loader.Quad(b), loader.Quad(c), loader.Quad(d));
        if (T.Factors == 1) return new Fetched(low, low, 1, 0, e);
        SourceCursor f = loader.Next(e), g = loader.Next(f), h = loader.Next(g);
        return new Fetched(low, new Line(loader.Quad(e), loader.Quad(f), loader.Quad(g), loader.Quad(h)), 1, 0, loader.Next(h));
    }

    /// <summary>Applies the view, rounds and stores, which is when the loads must have completed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Stage(Fetched next, int to)
    {
        Line words = next.Low;
        if (T.Factors == 1)
        {
            Line seen = Seen(words, next.Unit);
            Stage(to, seen.A, seen.A, next.Counts);
            Stage(to ^ 16, seen.B, seen.B, next.Counts);
            Stage(to ^ 32, seen.C, seen.C, next.Counts);
            Stage(to ^ 48, seen.D, seen.D, next.Counts);
            return;
        }
        StageHalves(to, to ^ 16, V.Whole ? Seen(Wide(words.A, words.B), 2 * next.Unit) : words, next.Counts);
        StageHalves(to ^ 32, to ^ 48, V.Whole ? Seen(Wide(words.C, words.D), 2 * next.Unit + 1) : next.High, next.Counts);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StageHalves(int to, int later, Line x, int counts)
    {
        Stage(to, x.A, x.B, counts);
        Stage(later, x.C, x.D, counts);
    }

    /// <summary>Sixteen channels of eight words.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Line Wide(V4 a, V4 b) =>
        new(Bfloat16.Wide(a.X, a.Y), Bfloat16.Wide(a.Z, a.W), Bfloat16.Wide(b.X, b.Y), Bfloat16.Wide(b.Z, b.W));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Line Seen(Line x, int line)
    {
        if (!V.Affine) return x;
        Line scale = loader.Map.ScaleLine(line), shift = loader.Map.ShiftLine(line);
        return new Line(scale.A * x.A + shift.A, scale.B * x.B + shift.B, scale.C * x.C + shift.C, scale.D * x.D + shift.D);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Stage(int to, V4 first, V4 second, int counts)
    {
        if (V.Relu) T.StageRelu(to, first, second, counts);
        else T.Stage(to, first, second, counts);
    }

    /// <summary>Stores the results, half of a warp's rows at a time, by way of shared memory that each thread reads back itself.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Store(int thread)
    {
        ArrayView<int> places = SharedMemory.GetDynamic<int>();
        places[Places / 4 + thread] = loader.PlaceOf(thread, target);
        Mma.PutTop(16 * thread);
        if (S.Wide) Mma.PutTopRight(16 * thread + LineTile.Results);
        Group.Barrier();
        StoreBlocks(0, thread);
        Mma.PutBottom(16 * thread);
        if (S.Wide) Mma.PutBottomRight(16 * thread + LineTile.Results);
        StoreBlocks(32, thread);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void StoreBlocks(int firstRow, int thread)
    {
        ArrayView<V4> results = SharedMemory.GetDynamic<V4>();
        ArrayView<int> places = SharedMemory.GetDynamic<int>();
        int row = Places / 4 + (thread >> 5 & 1) * 64 + firstRow + (thread >> 2 & 7);
        int quad = (Grid.IdxY * Columns + (thread >> 6) * Columns / 2) / 4 + (thread & 3);
        for (int q = 0; q < (S.Wide ? 16 : 8); q++)
        {
            int place = places[row + (q >> 2 & 1) * 16 + (q & 1) * 8], column = quad + (q >> 3) * 8 + (q >> 1 & 1) * 4;
            if (place >= 0 && column < target.Columns) target.Store(place, column, results[q * GemmTile.Threads + thread]);
        }
    }

    /// <summary>What a thread has loaded, whether it is inside an image, and where the next step's lies.</summary>
    private readonly struct Fetched(Line low, Line high, int counts, int unit, SourceCursor after)
    {
        public readonly Line Low = low, High = high;
        public readonly int Counts = counts, Unit = unit;
        public readonly SourceCursor After = after;
    }
}
