using System.Runtime.CompilerServices;
using ILGPU;

namespace Rpat.Engine.Gpu.Kernels;

internal sealed partial class GpuKernels : IMeanSquaredErrorKernels
{
    public void MeanSquaredError(int n, int k, DeviceBuffer a, DeviceBuffer b, DeviceBuffer values) =>
        ForEachWarp(n, new SquaredErrorRow(new LossRows(n, k), a.Floats(), b.Floats(), values.Floats()));

    public void MeanSquaredErrorGradient(int n, int k, DeviceBuffer a, DeviceBuffer b, float coefficient, bool accumulate, DeviceBuffer da) =>
        ForEachWarp(n, new SquaredErrorGradientRow(new LossRows(n, k), a.Floats(), b.Floats(), coefficient, accumulate ? 1 : 0, da.Floats()));
}

/// <summary>values[i] = mean over the columns of (a − b)².</summary>
internal readonly struct SquaredErrorRow(LossRows rows, ArrayView<float> a, ArrayView<float> b, ArrayView<float> values) : IKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        if (!rows.HasRow) return;
        LogitRow x = rows.Of(a), y = rows.Of(b);
        double sum = 0;
        for (int j = rows.Lane; j < rows.K; j += Reduce.WarpSize)
        {
            double d = (double)x.At(j) - y.At(j);
            sum += d * d;
        }
        sum = Reduce.WarpSum(sum);
        if (rows.Lane == 0) values[rows.Row] = (float)(sum / rows.K);
    }
}

/// <summary>da (+)= coefficient·2(a − b)/K.</summary>
internal readonly struct SquaredErrorGradientRow(
    LossRows rows, ArrayView<float> a, ArrayView<float> b, float coefficient, int accumulate, ArrayView<float> da) : IKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        if (!rows.HasRow) return;
        LogitRow x = rows.Of(a), y = rows.Of(b);
        for (int j = rows.Lane; j < rows.K; j += Reduce.WarpSize)
            rows.Put(da, j, coefficient * 2.0 * ((double)x.At(j) - y.At(j)) / rows.K, accumulate);
    }
}
