namespace Rpat.Engine.Kernels.Cpu;

internal sealed unsafe partial class CpuKernels : IKlDivergenceKernels
{
    public void KlDivergence(int n, int k, DeviceBuffer target, DeviceBuffer z, DeviceBuffer values)
    {
        for (int i = 0; i < n; i++) values.Floats()[i] = (float)new KlRow(target.Floats() + (long)i * k, z.Floats() + (long)i * k, k).Value();
    }

    public void KlDivergenceGradient(int n, int k, DeviceBuffer target, DeviceBuffer z, float coefficient, bool accumulate, DeviceBuffer dz)
    {
        for (int i = 0; i < n; i++)
        {
            var row = new KlRow(target.Floats() + (long)i * k, z.Floats() + (long)i * k, k);
            float* to = dz.Floats() + (long)i * k;
            for (int j = 0; j < k; j++)
                to[j] = (float)(coefficient * (Math.Exp(row.LogP(j)) - Math.Exp(row.LogQ(j)))) + (accumulate ? to[j] : 0);
        }
    }

    public void KlDivergenceTargetGradient(int n, int k, DeviceBuffer target, DeviceBuffer z, float coefficient, bool accumulate, DeviceBuffer dt)
    {
        for (int i = 0; i < n; i++)
        {
            var row = new KlRow(target.Floats() + (long)i * k, z.Floats() + (long)i * k, k);
            double kl = row.Value();
            float* to = dt.Floats() + (long)i * k;
            for (int j = 0; j < k; j++)
                to[j] = (float)(coefficient * Math.Exp(row.LogQ(j)) * (row.LogQ(j) - row.LogP(j) - kl)) + (accumulate ? to[j] : 0);
        }
    }
}

/// <summary>One sample: q = softmax(t), p = softmax(z).</summary>
internal readonly unsafe struct KlRow(float* t, float* z, int k)
{
    private readonly double _normT = Softmax.LogSumExp(t, k);
    private readonly double _normZ = Softmax.LogSumExp(z, k);

    public double LogQ(int j) => t[j] - _normT;

    public double LogP(int j) => z[j] - _normZ;

    public double Value()
    {
        double sum = 0;
        for (int j = 0; j < k; j++) sum += Math.Exp(LogQ(j)) * (LogQ(j) - LogP(j));
        return sum;
    }
}
