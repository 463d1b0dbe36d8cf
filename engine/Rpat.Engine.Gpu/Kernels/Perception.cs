using System.Runtime.CompilerServices;
using ILGPU;

namespace Rpat.Engine.Gpu.Kernels;

internal sealed partial class GpuKernels : IPerceptionKernels
{
    public void Perception(int n, int k, in PerceptionLogits z, float alpha, float factor, DeviceBuffer values) =>
        ForEachWarp(n, new PerceptionRow(new LossRows(n, k), Residuals(z, alpha), factor, values.Floats()));

    public void PerceptionGradient(int n, int k, in PerceptionLogits z, float alpha, float coefficient, in PerceptionGradients d) =>
        ForEachWarp(n, new PerceptionGradientRow(new LossRows(n, k), Residuals(z, alpha), coefficient, Targets(d)));

    public void RpatLoss(int n, int k, in PerceptionLogits z, DeviceBuffer labels, float alpha, float factor, DeviceBuffer values) =>
        ForEachWarp(n, new RpatLossRow(new LossRows(n, k), Residuals(z, alpha), labels.Ints(), factor, values.Floats()));

    public void RpatLossGradient(int n, int k, in PerceptionLogits z, DeviceBuffer labels, float alpha, float coefficient, float lambdaFactor,
        in PerceptionGradients d) =>
        ForEachWarp(n, new RpatLossGradientRow(
            new LossRows(n, k), Residuals(z, alpha), labels.Ints(), coefficient, coefficient * lambdaFactor, Targets(d)));

    private static PerceptionResiduals Residuals(in PerceptionLogits z, float alpha) =>
        new(z.Mixed.Floats(), z.Clean.Floats(), z.Adversarial.Floats(), alpha);

    private static PerceptionTargets Targets(in PerceptionGradients d) => new(
        d.Mixed.Floats(), d.Clean.Floats(), d.Adversarial.Floats(), d.AddMixed ? 1 : 0, d.AddClean ? 1 : 0, d.AddAdversarial ? 1 : 0);
}

/// <summary>Residuals R = u − (1−α)a − αb of the logits u = z(x̃), a = z(x), b = z(x′).</summary>
internal readonly struct PerceptionResiduals(ArrayView<float> u, ArrayView<float> a, ArrayView<float> b, float alpha)
{
    /// <summary>Logits of x′.</summary>
    public ArrayView<float> Adversarial => b;

    public double Alpha => alpha;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double At(int i) => u[i] - (1 - (double)alpha) * a[i] - (double)alpha * b[i];

    /// <summary>mean of R² over a row; every lane gets it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double MeanSquare(LossRows rows)
    {
        double sum = 0;
        for (int j = rows.Lane; j < rows.K; j += Reduce.WarpSize)
        {
            double r = At(rows.Row * rows.K + j);
            sum += r * r;
        }
        return Reduce.WarpSum(sum) / rows.K;
    }
}

/// <summary>The three logit gradients, each stored or added to.</summary>
internal readonly struct PerceptionTargets(ArrayView<float> u, ArrayView<float> a, ArrayView<float> b, int addU, int addA, int addB)
{
    /// <summary>∂/∂u = g, ∂/∂a = −(1−α)g, ∂/∂b = −αg + <paramref name="own"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Put(LossRows rows, int j, double g, double alpha, double own)
    {
        rows.Put(u, j, g, addU);
        rows.Put(a, j, -(1 - alpha) * g, addA);
        rows.Put(b, j, own - alpha * g, addB);
    }
}

/// <summary>values[i] = factor·mean R².</summary>
internal readonly struct PerceptionRow(LossRows rows, PerceptionResiduals r, float factor, ArrayView<float> values) : IKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        if (!rows.HasRow) return;
        double value = factor * r.MeanSquare(rows);
        if (rows.Lane == 0) values[rows.Row] = (float)value;
    }
}

internal readonly struct PerceptionGradientRow(LossRows rows, PerceptionResiduals r, float coefficient, PerceptionTargets d) : IKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        if (!rows.HasRow) return;
        for (int j = rows.Lane; j < rows.K; j += Reduce.WarpSize)
            d.Put(rows, j, coefficient * 2.0 * r.At(rows.Row * rows.K + j) / rows.K, r.Alpha, 0);
    }
}

/// <summary>The fused RPAT loss: cross-entropy of z(x′) in the first row of values, factor·mean R² in the second.</summary>
internal readonly struct RpatLossRow(LossRows rows, PerceptionResiduals r, ArrayView<int> labels, float factor, ArrayView<float> values) : IKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        if (!rows.HasRow) return;
        LogitRow row = rows.Of(r.Adversarial);
        double norm = row.LogSumExp(), square = r.MeanSquare(rows);
        if (rows.Lane != 0) return;
        values[rows.Row] = (float)(norm - row.At(labels[rows.Row]));
        values[rows.N + rows.Row] = (float)(factor * square);
    }
}

/// <summary>All three logit gradients of CE(z(x′), y) + λ·factor·mean R² in one pass over the logits.</summary>
internal readonly struct RpatLossGradientRow(LossRows rows, PerceptionResiduals r, ArrayView<int> labels, float coefficient, float perception,
    PerceptionTargets d) : IKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        if (!rows.HasRow) return;
        LogitRow row = rows.Of(r.Adversarial);
        double norm = row.LogSumExp();
        int label = labels[rows.Row];
        for (int j = rows.Lane; j < rows.K; j += Reduce.WarpSize)
        {
            double g = perception * 2.0 * r.At(rows.Row * rows.K + j) / rows.K;
            d.Put(rows, j, g, r.Alpha, coefficient * (Real.Exp(row.At(j) - norm) - (j == label ? 1.0 : 0.0)));
        }
    }
}
