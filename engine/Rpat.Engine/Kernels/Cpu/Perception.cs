namespace Rpat.Engine.Kernels.Cpu;

internal sealed unsafe partial class CpuKernels : IPerceptionKernels
{
    public void Perception(int n, int k, in PerceptionLogits z, float alpha, float factor, DeviceBuffer values)
    {
        for (int i = 0; i < n; i++) values.Floats()[i] = factor * new PerceptionRow(z, i, k, alpha).MeanSquare();
    }

    public void PerceptionGradient(int n, int k, in PerceptionLogits z, float alpha, float coefficient, in PerceptionGradients d)
    {
        for (int i = 0; i < n; i++) new PerceptionRow(z, i, k, alpha).AddGradient(coefficient, d);
    }

    public void RpatLoss(int n, int k, in PerceptionLogits z, DeviceBuffer labels, float alpha, float factor, DeviceBuffer values)
    {
        for (int i = 0; i < n; i++)
        {
            values.Floats()[i] = (float)CrossEntropyOf(z.Adversarial.Floats() + (long)i * k, k, labels.Ints()[i]);
            values.Floats()[n + i] = factor * new PerceptionRow(z, i, k, alpha).MeanSquare();
        }
    }

    public void RpatLossGradient(int n, int k, in PerceptionLogits z, DeviceBuffer labels, float alpha, float coefficient, float lambdaFactor,
        in PerceptionGradients d)
    {
        for (int i = 0; i < n; i++)
        {
            long at = (long)i * k;
            AddCrossEntropyGradient(z.Adversarial.Floats() + at, k, labels.Ints()[i], coefficient, d.AddAdversarial, d.Adversarial.Floats() + at);
            new PerceptionRow(z, i, k, alpha).AddGradient(coefficient * lambdaFactor, d with { AddAdversarial = true });
        }
    }
}

/// <summary>One sample's residual R = u − (1−α)a − αb.</summary>
internal readonly unsafe struct PerceptionRow(PerceptionLogits z, int sample, int k, float alpha)
{
    private readonly long _at = (long)sample * k;

    public float MeanSquare()
    {
        double sum = 0;
        for (int j = 0; j < k; j++) sum += Residual(j) * Residual(j);
        return (float)(sum / k);
    }

    /// <summary>∂/∂u = 2R/K, ∂/∂a = −(1−α)·2R/K, ∂/∂b = −α·2R/K, each times the coefficient.</summary>
    public void AddGradient(float coefficient, in PerceptionGradients d)
    {
        for (int j = 0; j < k; j++)
        {
            double g = coefficient * 2 * Residual(j) / k;
            Put(d.Mixed, j, g, d.AddMixed);
            Put(d.Clean, j, -(1 - (double)alpha) * g, d.AddClean);
            Put(d.Adversarial, j, -alpha * g, d.AddAdversarial);
        }
    }

    private double Residual(int j)
    {
        double u = z.Mixed.Floats()[_at + j], a = z.Clean.Floats()[_at + j], b = z.Adversarial.Floats()[_at + j];
        return u - (1 - (double)alpha) * a - alpha * b;
    }

    private void Put(DeviceBuffer to, int j, double value, bool add)
    {
        float* p = to.Floats() + _at + j;
        *p = (float)value + (add ? *p : 0);
    }
}
