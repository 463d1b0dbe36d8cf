namespace Rpat.Engine.Kernels.Cpu;

internal sealed unsafe partial class CpuKernels : ICrossEntropyKernels
{
    public void CrossEntropy(int n, int k, DeviceBuffer z, DeviceBuffer labels, DeviceBuffer values)
    {
        for (int i = 0; i < n; i++) values.Floats()[i] = (float)CrossEntropyOf(z.Floats() + (long)i * k, k, labels.Ints()[i]);
    }

    public void CrossEntropyGradient(int n, int k, DeviceBuffer z, DeviceBuffer labels, float coefficient, bool accumulate, DeviceBuffer dz)
    {
        for (int i = 0; i < n; i++)
            AddCrossEntropyGradient(z.Floats() + (long)i * k, k, labels.Ints()[i], coefficient, accumulate, dz.Floats() + (long)i * k);
    }

    private static double CrossEntropyOf(float* z, int k, int label) => Softmax.LogSumExp(z, k) - z[label];

    private static void AddCrossEntropyGradient(float* z, int k, int label, float coefficient, bool accumulate, float* dz)
    {
        double norm = Softmax.LogSumExp(z, k);
        for (int j = 0; j < k; j++)
            dz[j] = (float)(coefficient * (Math.Exp(z[j] - norm) - (j == label ? 1 : 0))) + (accumulate ? dz[j] : 0);
    }
}

/// <summary>Log-softmax in double: rows are short, and losses formed from it stay finite when a probability underflows.</summary>
internal static unsafe class Softmax
{
    public static double LogSumExp(float* z, int k)
    {
        double max = double.NegativeInfinity, sum = 0;
        for (int j = 0; j < k; j++) max = Math.Max(max, z[j]);
        for (int j = 0; j < k; j++) sum += Math.Exp(z[j] - max);
        return max + Math.Log(sum);
    }
}
