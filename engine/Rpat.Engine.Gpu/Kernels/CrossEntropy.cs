using System.Runtime.CompilerServices;
using ILGPU;

namespace Rpat.Engine.Gpu.Kernels;

internal sealed partial class GpuKernels : ICrossEntropyKernels
{
    public void CrossEntropy(int n, int k, DeviceBuffer z, DeviceBuffer labels, DeviceBuffer values) =>
        ForEachWarp(n, new CrossEntropyRow(new LossRows(n, k), z.Floats(), labels.Ints(), values.Floats()));

    public void CrossEntropyGradient(int n, int k, DeviceBuffer z, DeviceBuffer labels, float coefficient, bool accumulate, DeviceBuffer dz) =>
        ForEachWarp(n, new CrossEntropyGradientRow(new LossRows(n, k), z.Floats(), labels.Ints(), coefficient, accumulate ? 1 : 0, dz.Floats()));
}

/// <summary>values[i] = −log softmax(z_i)[y_i].</summary>
internal readonly struct CrossEntropyRow(LossRows rows, ArrayView<float> z, ArrayView<int> labels, ArrayView<float> values) : IKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        if (!rows.HasRow) return;
        LogitRow row = rows.Of(z);
        double norm = row.LogSumExp();
        if (rows.Lane == 0) values[rows.Row] = (float)(norm - row.At(labels[rows.Row]));
    }
}

/// <summary>dz (+)= coefficient·(softmax(z) − onehot(y)).</summary>
internal readonly struct CrossEntropyGradientRow(
    LossRows rows, ArrayView<float> z, ArrayView<int> labels, float coefficient, int accumulate, ArrayView<float> dz) : IKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        if (!rows.HasRow) return;
        LogitRow row = rows.Of(z);
        double norm = row.LogSumExp();
        int label = labels[rows.Row];
        for (int j = rows.Lane; j < rows.K; j += Reduce.WarpSize)
            rows.Put(dz, j, coefficient * (Real.Exp(row.At(j) - norm) - (j == label ? 1.0 : 0.0)), accumulate);
    }
}
