using System.Runtime.CompilerServices;
using ILGPU;

namespace Rpat.Engine.Gpu.Kernels;

/// <summary>One row of logits <c>[N, K]</c>, taken by one warp: lane l has columns l, l + 32, …</summary>
internal readonly struct LogitRow(ArrayView<float> z, int first, int k)
{
    public int First => first;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float At(int j) => z[first + j];

    /// <summary>log Σ exp in double precision: losses formed from it stay finite when a probability underflows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double LogSumExp()
    {
        int lane = Group.IdxX % Reduce.WarpSize;
        float max = float.NegativeInfinity;
        for (int j = lane; j < k; j += Reduce.WarpSize) max = At(j) > max ? At(j) : max;
        max = Reduce.WarpMax(max);
        double sum = 0;
        for (int j = lane; j < k; j += Reduce.WarpSize) sum += Real.Exp((double)At(j) - max);
        return max + Real.Log(Reduce.WarpSum(sum));
    }
}

/// <summary>The rows of a loss, one warp a row.</summary>
internal readonly struct LossRows(int n, int k)
{
    /// <summary>Columns.</summary>
    public readonly int K = k;

    /// <summary>This warp's row.</summary>
    public int Row
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (Grid.IdxX * Group.DimX + Group.IdxX) / Reduce.WarpSize;
    }

    /// <summary>This thread's first column.</summary>
    public int Lane
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Group.IdxX % Reduce.WarpSize;
    }

    /// <summary>Whether this warp has a row; false for all its lanes or none.</summary>
    public bool HasRow
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Row < n;
    }

    /// <summary>Samples.</summary>
    public int N => n;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public LogitRow Of(ArrayView<float> z) => new(z, Row * K, K);

    /// <summary>Stores a gradient in this warp's row, or adds it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Put(ArrayView<float> to, int j, double value, int accumulate)
    {
        int at = Row * K + j;
        to[at] = accumulate != 0 ? to[at] + (float)value : (float)value;
    }
}
