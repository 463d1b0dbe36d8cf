using ILGPU;

namespace Rpat.Engine.Gpu.Kernels;

/// <summary>
/// Shared memory of <see cref="ConvLineGemm{T}"/>: for each pixel of A and each output of B one line of 16 factors, four quads of words in
/// TF32 and two in bfloat16. Lines are stored without gaps; the quads of a line are XOR-swizzled by its number, so that neither the threads
/// that write quads of adjacent lines nor the lanes that read a fragment have bank conflicts.
/// </summary>
/// <remarks>
/// The order of a reduction is free as long as both factors have the same: thread t of a fragment (see <see cref="Mma"/>) takes
/// the adjacent factors 4t to 4t + 3 of a line, which one load fetches, where the PTX ISA's figures have t and t + 4 of each product.
/// </remarks>
internal static class LineTile
{
    /// <summary>Channels of a step.</summary>
    public const int Channels = 16;

    /// <summary>Quads of channels of a step.</summary>
    public const int ChannelQuads = Channels / 4;

    /// <summary>The smallest number of channel quads for which a step of 16 channels is worth its padding.</summary>
    public const int LeastQuads = 3;

    /// <summary>Quads of words of a line.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Quads<T>() where T : struct, IWord => ChannelQuads / T.Factors;

    /// <summary>Quads of both factors of a step.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Step<T>() where T : struct, IWord => (GemmTile.Rows + GemmTile.Columns) * Quads<T>();

    /// <summary>Index of a quad of a line. Lines eight apart have the same swizzle.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int At<T>(int line, int quad) where T : struct, IWord =>
        line * Quads<T>() + (quad ^ line * Quads<T>() / 8 & Quads<T>() - 1);

    /// <summary>Multiplies one step of a warp: 64 lines of A by 32 of B.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Multiply<T>(ArrayView<uint> shared, int first, int thread) where T : struct, IWord
    {
        int warp = thread / Reduce.WarpSize, g = thread % Reduce.WarpSize / 4, t = thread % 4;
        int a = warp % 2 * 64 + g, b = GemmTile.Rows + warp / 2 * 32 + g;
        T.MultiplyLines(shared, first + At<T>(a, t / T.Factors), first + At<T>(b, t / T.Factors), t % T.Factors);
    }

    /// <summary>One product's four row blocks, from two words of each of a thread's eight lines.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadA(U2 l0, U2 h0, U2 l1, U2 h1, U2 l2, U2 h2, U2 l3, U2 h3) =>
        Mma.LoadA(Rows(l0, h0), Rows(l1, h1), Rows(l2, h2), Rows(l3, h3));

    /// <summary>One product's four column blocks.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadB(U2 b0, U2 b1, U2 b2, U2 b3) =>
        Mma.LoadB(new Fragment(b0.X, b0.Y, b1.X, b1.Y), new Fragment(b2.X, b2.Y, b3.X, b3.Y));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Fragment Rows(U2 low, U2 high) => new(low.X, high.X, low.Y, high.Y);
}

/// <summary>
/// The forward pass and the input gradient on tensor cores, for sources with enough channels. The filters are stored as lines of rounded
/// factors and copied to shared memory without passing through registers; pixels pass through registers, where their view is applied and
/// they are rounded, once for all readers. While one step is multiplied, the next one is being loaded.
/// </summary>
internal readonly struct ConvLineGemm<T>(PixelLoader loader, ulong filters, Target target) : IKernel where T : struct, IWord
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        Mma.Begin();
        ArrayView<V4> shared = SharedMemory.GetDynamic<V4>();
        int thread = Group.IdxX, steps = loader.Steps;
        Window window = loader.WindowOf(Grid.IdxX * GemmTile.Rows + thread);
        TapCursor at = loader.Start();
        CopyFilters(at, 0, thread);
        Fetch(window, at).Stage(0, thread);
        AsyncCopy.Wait();
        Group.Barrier();
        for (int step = 0; step < steps; step++)
        {
            at = loader.Next(at);
            int now = (step & 1) * LineTile.Step<T>(), next = LineTile.Step<T>() - now;
            CopyFilters(at, next, thread);
            Fetched ahead = Fetch(window, at);
            LineTile.Multiply<T>(shared.Cast<uint>(), now, thread);
            ahead.Stage(next, thread);
            AsyncCopy.Wait();
            Group.Barrier();
        }
        TensorTile.StageResults(thread);
        for (int i = thread; i < GemmTile.Rows * GemmTile.ColumnQuads; i += GemmTile.Threads)
            Store(shared, i / GemmTile.ColumnQuads, i % GemmTile.ColumnQuads);
    }

    /// <summary>Adjacent threads copy adjacent quads; outputs that do not exist become zeros.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void CopyFilters(TapCursor at, int first, int thread)
    {
        Copy(at, first, thread);
        if (T.Factors == 1) Copy(at, first, thread + GemmTile.Threads);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Copy(TapCursor at, int first, int i)
    {
        int line = i / LineTile.Quads<T>(), quad = i - line * LineTile.Quads<T>();
        int from = loader.Line(at, Grid.IdxY * GemmTile.Columns + line), to = first + LineTile.At<T>(GemmTile.Rows + line, quad);
        int there = from >= 0 ? from * LineTile.Quads<T>() + quad : 0;
        AsyncCopy.Begin(16 * to, filters + 16 * (ulong)(uint)there, from >= 0 ? 16 : 0);
    }

    /// <summary>A thread's part of A: the step's channels of one pixel.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Fetched Fetch(Window window, TapCursor at)
    {
        int pixel = loader.PixelIndex(window, at), quad = at.Chunk * LineTile.ChannelQuads;
        return new Fetched(
            loader.Channels(pixel, quad), loader.Channels(pixel, quad + 1), loader.Channels(pixel, quad + 2),
            loader.Channels(pixel, quad + 3));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Store(ArrayView<V4> shared, int row, int quad)
    {
        int m = Grid.IdxX * GemmTile.Rows + row, column = Grid.IdxY * GemmTile.ColumnQuads + quad;
        if (loader.HasPixel(m) && column < target.Columns) target.Store(Grid.IdxZ, m, column, shared[row * Mma.StagingStride / 4 + quad]);
    }

    /// <summary>What a thread has loaded; it is rounded when it is staged, which is when the loads must have completed.</summary>
    private readonly struct Fetched(V4 a0, V4 a1, V4 a2, V4 a3)
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Stage(int first, int line)
        {
            T.StageAlong(first + LineTile.At<T>(line, 0), a0, a1);
            T.StageAlong(first + LineTile.At<T>(line, 1), T.Factors == 2 ? a2 : a1, a3);
            if (T.Factors == 2) return;
            T.StageAlong(first + LineTile.At<T>(line, 2), a2, a2);
            T.StageAlong(first + LineTile.At<T>(line, 3), a3, a3);
        }
    }
}

/// <summary>A quad of words of the lines <c>[tap][chunk][output][16 channels]</c>, from a weight <c>[K][C][taps]</c>.</summary>
internal readonly struct PackLine<T>(Filters from, int chunks, int outputs, ArrayView<U4> to) : IKernel where T : struct, IWord
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX;
        if (i >= to.IntLength) return;
        int line = i / LineTile.Quads<T>(), output = line % outputs, step = line / outputs, tap = step / chunks;
        int row = (step - tap * chunks) * LineTile.Channels + (i - line * LineTile.Quads<T>()) * 4 * T.Factors;
        V4 first = Quad(tap, row, output);
        to[i] = T.Along(first, T.Factors == 2 ? Quad(tap, row + 4, output) : first);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private V4 Quad(int tap, int row, int output) =>
        new(from.At(tap, row, output), from.At(tap, row + 1, output), from.At(tap, row + 2, output), from.At(tap, row + 3, output));
}

/// <summary>Two adjacent words of shared memory.</summary>
internal readonly struct U2(uint x, uint y)
{
    public readonly uint X = x, Y = y;
}
