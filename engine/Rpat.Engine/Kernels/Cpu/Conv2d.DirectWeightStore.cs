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
        for (int k = pair * Columns; k < end; k += Transposed.Side)
            Filters(sums + k % Columns, dw + k * filter + first, (nint)filter, count, Math.Min(Transposed.Side, end - k));
    }

    /// <summary>Up to four filters.</summary>
    private void Filters(float* from, float* to, nint step, int count, int filters)
    {
        int i = 0;
        if (Transposed.IsSupported && filters == Transposed.Side)
            for (; i + Transposed.Side <= count; i += Transposed.Side)
                Transposed.Square(from + order[i], from + order[i + 1], from + order[i + 2], from + order[i + 3], to + i, step, accumulate);
        for (; i < count; i++)
            for (int k = 0; k < filters; k++)
                to[k * step + i] = from[order[i] + k] + (accumulate ? to[k * step + i] : 0);
    }
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
