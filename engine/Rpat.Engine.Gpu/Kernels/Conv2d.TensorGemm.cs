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
/// the reduction. Lines of A are 80 bytes apart and the quads of B's are XOR-swizzled by the line's number, so that neither the threads
/// that write quads nor the lanes that read a fragment have bank conflicts. A has two stages, B, which is copied further ahead, has three.
/// </summary>
internal static class LineTile
{
    /// <summary>Quads of words of a line.</summary>
    public const int Quads = 4;

    public const int StrideOfA = 80, StageOfA = GemmTile.Rows * StrideOfA, FirstB = 2 * StageOfA, StrideOfB = 16 * Quads;

    /// <summary>Lines of filters are padded to a multiple of this.</summary>
    public const int Outputs = 64;

    /// <summary>Bytes that half of a warp's rows take in 32 columns, when they are staged where the factors were.</summary>
    public const int Results = 8 * 2048;

    /// <summary>Bytes of shared memory.</summary>
    public static int Shared(int columns) => FirstB + 3 * columns * StrideOfB;

    /// <summary>Whether channels fill the steps of a product over a source with that many quads of them.</summary>
    public static bool Fills(int sourceQuads, int factors) => sourceQuads % (Quads * factors) == 0;

    /// <summary>The output of a line, in the order of <see cref="Mma"/>'s columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int OutputOf(int line) => (line & ~15) + ((line >> 1 & 3) << 2) + (line >> 3 & 1) * 2 + (line & 1);

    /// <summary>Byte of a line's quad in a stage of B.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int InB(int line, int quad) => FirstB + line * StrideOfB + ((quad ^ line >> 1 & 3) << 4);

    /// <summary>Byte of the words of A that a lane reads first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int LaneInA(int thread) => ((thread >> 5 & 1) * 64 + (thread & 15)) * StrideOfA + (thread >> 4 & 1) * 16;

    /// <summary>Byte of the words of B that a lane reads first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int LaneInB(int thread, int columnsOfWarp) =>
        InB((thread >> 6) * columnsOfWarp + (thread & 7) + (thread >> 4 & 1) * 8, thread >> 3 & 1);
}

/// <summary>
/// The forward pass and the input gradient on tensor cores. Filters are stored as lines of rounded factors in the order in which the loop
/// reads them, and copied to shared memory two steps ahead without passing through registers; pixels pass through registers, one step
/// ahead, where their view is applied and they are rounded, once for all readers.
/// </summary>
/// <param name="lines">Address of the filters.</param>
/// <param name="outputs">Lines of a step of the filters, of all groups.</param>
/// <param name="filters">The filters, for whoever checks what a kernel may read.</param>
internal readonly struct ConvTensorGemm<T, V, S>(PixelLoader loader, ulong lines, int outputs, ArrayView<U4> filters, Target target)
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
        get => Columns * LineTile.StrideOfB;
    }

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
        int copy = LineTile.InB(thread >> 2, thread & 3), stage = thread * LineTile.StrideOfA;
        int a = LineTile.LaneInA(thread), b = LineTile.LaneInB(thread, Columns / 2);
        ulong stride = (ulong)(uint)outputs * LineTile.StrideOfB, from = lines + (ulong)(uint)loader.FirstStep * stride
            + (ulong)(uint)(Grid.IdxY * Columns * LineTile.Quads + thread) * 16;
        Copy(copy, from);
        Copy(copy + StageOfB, from + stride);
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
        AsyncCopy.Wait();
        if (S.Wide) Group.Barrier(); // results go where the copies that were ahead have arrived
        Store(thread);
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
        MultiplyWords(a + 32, b ^ 32);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void MultiplyWords(int a, int b)
    {
        Mma.LoadA(a);
        Mma.LoadB(b);
        T.Multiply();
        if (!S.Wide) return;
        Mma.LoadB(b + 32 * LineTile.StrideOfB);
        T.MultiplyRight();
    }

    /// <summary>A thread's part of A: the step's channels of one pixel. In the padding some other pixel is read.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Fetched Fetch(SourceCursor at)
    {
        if (!V.Whole) return FetchQuads(at);
        bool counts = loader.Has(at);
        int index = T.Factors * (counts ? at.Index : 0);
        Line low = loader.StoredLine(index);
        return new Fetched(low, T.Factors == 2 ? loader.StoredLine(index + 1) : low, counts ? 1 : 0, at.Unit, loader.Next(at));
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
        int line = T.Factors * next.Unit;
        Line low = Seen(next.Low, line);
        if (T.Factors == 1)
        {
            Stage(to, low.A, low.A, next.Counts);
            Stage(to + 16, low.B, low.B, next.Counts);
            Stage(to + 32, low.C, low.C, next.Counts);
            Stage(to + 48, low.D, low.D, next.Counts);
            return;
        }
        Line high = Seen(next.High, line + 1);
        Stage(to, low.A, low.B, next.Counts);
        Stage(to + 16, low.C, low.D, next.Counts);
        Stage(to + 32, high.A, high.B, next.Counts);
        Stage(to + 48, high.C, high.D, next.Counts);
    }

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
