namespace Rpat.Engine.Kernels.Cpu;

/// <summary>Reorders the finished sums of a direct weight gradient into the weight's own order <c>[K, C, R, R]</c>.</summary>
/// <param name="order">Offsets of a filter's values in the sums of a channel block.</param>
internal readonly unsafe struct WeightStore(WeightGradientPlan plan, nint* order, bool accumulate, float* dw)
{
    /// <summary>Columns of the sums: a pair of filter blocks.</summary>
    public const int Columns = 2 * Blocks.Size;

    /// <summary>One channel block of one pair of filter blocks.</summary>
    public void Block(float* sums, int block, int pair)
    {
        var s = plan.Shape;
        long filter = (long)s.C * s.R * s.R, first = (long)block * plan.FilterFloats;
        int count = (int)Math.Min(plan.FilterFloats, filter - first), end = Math.Min(s.K, (pair + 1) * Columns);
        for (int k = pair * Columns; k < end; k += Transposed.Columns)
            Filters(sums + k % Columns, dw + k * filter + first, filter, count, Math.Min(Transposed.Columns, end - k));
    }

    /// <summary>Up to four filters.</summary>
    private void Filters(float* from, float* to, long step, int count, int filters)
    {
        int i = 0;
        if (Transposed.IsSupported && filters == Transposed.Columns)
            for (; i + Blocks.Size <= count; i += Blocks.Size) Transposed.Store(from, order + i, to + i, step, accumulate);
        for (; i < count; i++)
            for (int k = 0; k < filters; k++)
                to[k * step + i] = from[order[i] + k] + (accumulate ? to[k * step + i] : 0);
    }
}

/// <summary>Transposes sixteen rows.</summary>
internal static unsafe class Transposed
{
    public const int Columns = 4;

    /// <summary>Sixteen rows of a few columns: to[column·toStep + row] = from[row·step + column].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Rows(float* from, nint step, int columns, float* to, nint toStep)
    {
        for (float* end = to + Blocks.Size; to < end; to += Columns, from += Columns * step)
        {
            float* at = to;
            int j = 0;
            for (; Sse.IsSupported && j + Columns <= columns; j += Columns, at += Columns * toStep)
                Four(from + j, step, at, toStep);
            for (; j < columns; j++, at += toStep)
                for (int row = 0; row < Columns; row++) at[row] = from[row * step + j];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Four(float* from, nint step, float* to, nint toStep)
    {
        Vector128<float> p0 = Vector128.Load(from), p1 = Vector128.Load(from + step);
        Vector128<float> p2 = Vector128.Load(from + 2 * step), p3 = Vector128.Load(from + 3 * step);
        Vector128<float> a = Sse.UnpackLow(p0, p1), b = Sse.UnpackLow(p2, p3), c = Sse.UnpackHigh(p0, p1), d = Sse.UnpackHigh(p2, p3);
        Sse.MoveLowToHigh(a, b).Store(to);
        Sse.MoveHighToLow(b, a).Store(to += toStep);
        Sse.MoveLowToHigh(c, d).Store(to += toStep);
        Sse.MoveHighToLow(d, c).Store(to + toStep);
    }

    public static bool IsSupported => Avx512F.IsSupported;

    /// <summary>
    /// to[column·step + i] (+)= from[rows[i] + column]: the quarters of a vector hold every fourth row, then each is transposed.
    /// </summary>
    public static void Store(float* from, nint* rows, float* to, long step, bool accumulate)
    {
        Vec p0 = Quarters(from, rows), p1 = Quarters(from, rows + 1), p2 = Quarters(from, rows + 2), p3 = Quarters(from, rows + 3);
        Vector512<double> a = Low(p0, p1), b = High(p0, p1), c = Low(p2, p3), d = High(p2, p3);
        Store(Avx512F.UnpackLow(a, c).AsSingle(), to, accumulate);
        Store(Avx512F.UnpackHigh(a, c).AsSingle(), to + step, accumulate);
        Store(Avx512F.UnpackLow(b, d).AsSingle(), to + 2 * step, accumulate);
        Store(Avx512F.UnpackHigh(b, d).AsSingle(), to + 3 * step, accumulate);
    }

    private static void Store(Vec value, float* to, bool accumulate) => (accumulate ? value + Vector512.Load(to) : value).Store(to);

    private static Vec Quarters(float* from, nint* rows) => Vector512.Create(
        Vector256.Create(Vector128.Load(from + rows[0]), Vector128.Load(from + rows[4])),
        Vector256.Create(Vector128.Load(from + rows[8]), Vector128.Load(from + rows[12])));

    private static Vector512<double> Low(Vec a, Vec b) => Avx512F.UnpackLow(a, b).AsDouble();

    private static Vector512<double> High(Vec a, Vec b) => Avx512F.UnpackHigh(a, b).AsDouble();
}

/// <summary>Adds the splits of one channel block and pair of filter blocks, in order, and stores them.</summary>
internal readonly unsafe struct AddWeightSplitsJob(WeightGradientPlan plan, float* sums, WeightStore store) : IJob
{
    public void Run(int index, Worker worker)
    {
        float* first = sums + index * plan.BlockFloats;
        for (long i = 0; i < plan.BlockFloats; i += Blocks.Size)
        {
            Vec sum = Vector512.Load(first + i);
            for (int share = 1; share < plan.Splits; share++) sum += Vector512.Load(first + share * plan.SplitFloats + i);
            sum.Store(first + i);
        }
        store.Block(first, index % plan.Blocks, index / plan.Blocks);
    }
}
