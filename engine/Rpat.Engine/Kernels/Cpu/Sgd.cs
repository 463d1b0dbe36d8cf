namespace Rpat.Engine.Kernels.Cpu;

internal sealed unsafe partial class CpuKernels : ISgdKernels
{
    public void Sgd(long count, DeviceBuffer weights, DeviceBuffer gradients, DeviceBuffer velocity, in SgdStep step) =>
        _pool.Run(new SgdPiece(count, weights.Floats(), gradients.Floats(), velocity.Floats(), step), Pieces(count));

    private readonly struct SgdPiece(long count, float* weights, float* gradients, float* velocity, SgdStep step) : IJob
    {
        public void Run(int index, Worker worker)
        {
            for (long i = (long)index * Grain, end = Math.Min(count, i + Grain); i < end; i += Blocks.Size)
            {
                var w = Lanes.Load(weights + i, end - i);
                var g = Lanes.Load(gradients + i, end - i) + step.WeightDecay * w;
                var v = step.Momentum * Lanes.Load(velocity + i, end - i) + g;
                Lanes.Store(v, velocity + i, end - i);
                Lanes.Store(w - step.Rate * (step.Nesterov ? g + step.Momentum * v : v), weights + i, end - i);
            }
        }
    }
}
