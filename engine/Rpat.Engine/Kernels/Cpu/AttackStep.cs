namespace Rpat.Engine.Kernels.Cpu;

internal sealed unsafe partial class CpuKernels : IAttackStepKernels
{
    public void LinfStep(long count, DeviceBuffer x, DeviceBuffer g, float step, float eps, DeviceBuffer adversarial) =>
        _pool.Run(new LinfPiece(count, x.Floats(), g.Floats(), step, eps, adversarial.Floats()), Pieces(count));

    public void L2Step(int n, int sampleCount, DeviceBuffer x, DeviceBuffer g, float step, float eps, DeviceBuffer adversarial) =>
        _pool.Run(new L2Sample(sampleCount, x.Floats(), g.Floats(), step, eps, adversarial.Floats()), n);

    private readonly struct LinfPiece(long count, float* x, float* g, float step, float eps, float* adversarial) : IJob
    {
        public void Run(int index, Worker worker)
        {
            for (long i = (long)index * Grain, end = Math.Min(count, i + Grain); i < end; i++)
            {
                float sign = g[i] > 0 ? 1 : g[i] < 0 ? -1 : 0;
                float moved = Math.Clamp(adversarial[i] + step * sign, x[i] - eps, x[i] + eps);
                adversarial[i] = Math.Clamp(moved, 0f, 1f);
            }
        }
    }

    private readonly struct L2Sample(int count, float* x, float* g, float step, float eps, float* adversarial) : IJob
    {
        public void Run(int index, Worker worker)
        {
            long at = (long)index * count;
            float* from = x + at, grad = g + at, to = adversarial + at;
            float rate = step / Math.Max(Norm.Of(grad, count), 1e-6f);
            for (int i = 0; i < count; i++) to[i] = Math.Clamp(to[i] + rate * grad[i], 0f, 1f);
            Norm.ScaleIntoBall(from, to, count, eps);
        }
    }
}

internal static unsafe class Norm
{
    public static float Of(float* v, int count)
    {
        double sum = 0;
        for (int i = 0; i < count; i++) sum += (double)v[i] * v[i];
        return (float)Math.Sqrt(sum);
    }

    /// <summary>Moves x′ towards x until ‖x′ − x‖ ≤ ε, where it is not yet.</summary>
    public static void ScaleIntoBall(float* x, float* adversarial, int count, float eps)
    {
        double sum = 0;
        for (int i = 0; i < count; i++) sum += ((double)adversarial[i] - x[i]) * ((double)adversarial[i] - x[i]);
        double norm = Math.Sqrt(sum);
        if (norm <= eps) return;
        double factor = eps / norm;
        for (int i = 0; i < count; i++) adversarial[i] = Math.Clamp((float)(x[i] + factor * (adversarial[i] - x[i])), 0f, 1f);
    }
}
