using System.Runtime.CompilerServices;
using ILGPU;

namespace Rpat.Engine.Gpu.Kernels;

internal sealed partial class GpuKernels : IKlDivergenceKernels
{
    public void KlDivergence(int n, int k, DeviceBuffer target, DeviceBuffer z, DeviceBuffer values) =>
        ForEachWarp(n, new KlRow(new LossRows(n, k), target.Floats(), z.Floats(), values.Floats()));

    public void KlDivergenceGradient(int n, int k, DeviceBuffer target, DeviceBuffer z, float coefficient, bool accumulate, DeviceBuffer dz) =>
        ForEachWarp(n, new KlGradientRow(new LossRows(n, k), target.Floats(), z.Floats(), coefficient, accumulate ? 1 : 0, dz.Floats()));

    public void KlDivergenceTargetGradient(int n, int k, DeviceBuffer target, DeviceBuffer z, float coefficient, bool accumulate, DeviceBuffer dt) =>
        ForEachWarp(n, new KlTargetGradientRow(new LossRows(n, k), target.Floats(), z.Floats(), coefficient, accumulate ? 1 : 0, dt.Floats()));
}

/// <summary>One sample's log-softmaxes: q = softmax(t), p = softmax(z).</summary>
internal readonly struct KlPair(LogitRow t, LogitRow z, double normT, double normZ)
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static KlPair Of(LogitRow t, LogitRow z) => new(t, z, t.LogSumExp(), z.LogSumExp());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double LogQ(int j) => t.At(j) - normT;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double LogP(int j) => z.At(j) - normZ;

    /// <summary>KL(q ‖ p).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Value(LossRows rows)
    {
        double sum = 0;
        for (int j = rows.Lane; j < rows.K; j += Reduce.WarpSize) sum += Real.Exp(LogQ(j)) * (LogQ(j) - LogP(j));
        return Reduce.WarpSum(sum);
    }
}

internal readonly struct KlRow(LossRows rows, ArrayView<float> t, ArrayView<float> z, ArrayView<float> values) : IKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        if (!rows.HasRow) return;
        double value = KlPair.Of(rows.Of(t), rows.Of(z)).Value(rows);
        if (rows.Lane == 0) values[rows.Row] = (float)value;
    }
}

/// <summary>dz (+)= coefficient·(p − q).</summary>
internal readonly struct KlGradientRow(
    LossRows rows, ArrayView<float> t, ArrayView<float> z, float coefficient, int accumulate, ArrayView<float> dz) : IKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        if (!rows.HasRow) return;
        KlPair pair = KlPair.Of(rows.Of(t), rows.Of(z));
        for (int j = rows.Lane; j < rows.K; j += Reduce.WarpSize)
            rows.Put(dz, j, coefficient * (Real.Exp(pair.LogP(j)) - Real.Exp(pair.LogQ(j))), accumulate);
    }
}

/// <summary>dt (+)= coefficient·q⊙(log q − log p − KL).</summary>
internal readonly struct KlTargetGradientRow(
    LossRows rows, ArrayView<float> t, ArrayView<float> z, float coefficient, int accumulate, ArrayView<float> dt) : IKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        if (!rows.HasRow) return;
        KlPair pair = KlPair.Of(rows.Of(t), rows.Of(z));
        double kl = pair.Value(rows);
        for (int j = rows.Lane; j < rows.K; j += Reduce.WarpSize)
            rows.Put(dt, j, coefficient * Real.Exp(pair.LogQ(j)) * (pair.LogQ(j) - pair.LogP(j) - kl), accumulate);
    }
}
