namespace Rpat.Engine.Kernels.Cpu;

internal sealed unsafe partial class CpuKernels : IMeanSquaredErrorKernels
{
    public void MeanSquaredError(int n, int k, DeviceBuffer a, DeviceBuffer b, DeviceBuffer values)
    {
        for (int i = 0; i < n; i++)
        {
            double sum = 0;
            for (long j = (long)i * k; j < (long)(i + 1) * k; j++)
            {
                double d = (double)a.Floats()[j] - b.Floats()[j];
                sum += d * d;
            }
            values.Floats()[i] = (float)(sum / k);
        }
    }

    public void MeanSquaredErrorGradient(int n, int k, DeviceBuffer a, DeviceBuffer b, float coefficient, bool accumulate, DeviceBuffer da)
    {
        float* to = da.Floats();
        for (long j = 0; j < (long)n * k; j++)
            to[j] = coefficient * 2 * (a.Floats()[j] - b.Floats()[j]) / k + (accumulate ? to[j] : 0);
    }
}
