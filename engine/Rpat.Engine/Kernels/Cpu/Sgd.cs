namespace Rpat.Engine.Kernels.Cpu;

internal sealed unsafe partial class CpuKernels : ISgdKernels
{
    public void Sgd(long count, DeviceBuffer weights, DeviceBuffer gradients, DeviceBuffer velocity, in SgdStep step) =>
        _pool.Run(new SgdPiece(count, weights.Floats(), gradients.Floats(), velocity.Floats(), step), Pieces(count));

    private readonly struct SgdPiece(long count, float* w, float* g, float* v, SgdStep step) : IJob
    {
        public void Run(int index, Worker worker)
        {
            for (long i = (long)index * Grain, end = Math.Min(count, i + Grain); i < end; i++)
            {
                float gradient = g[i] + step.WeightDecay * w[i];
                v[i] = step.Momentum * v[i] + gradient;
                w[i] -= step.Rate * (step.Nesterov ? gradient + step.Momentum * v[i] : v[i]);
            }
        }
    }
}
