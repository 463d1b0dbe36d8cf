namespace Rpat.Engine.Kernels.Cpu;

internal unsafe partial class CpuKernels : IWeightPerturbationKernels
{
    public void PerturbWeights(long count, DeviceBuffer weights, DeviceBuffer gradients, float gamma, DeviceBuffer perturbation)
    {
        double length = Norm.Of(weights.Floats(), null, (int)count), slope = Norm.Of(gradients.Floats(), null, (int)count);
        float rate = (float)(gamma * length / (slope + 1e-20));
        _pool.Run(new PerturbPiece(count, weights.Floats(), gradients.Floats(), rate, perturbation.Floats()), Pieces(count));
    }

    private readonly struct PerturbPiece(long count, float* w, float* g, float rate, float* v) : IJob
    {
        public void Run(int index, Worker worker)
        {
            for (long i = (long)index * Grain, end = Math.Min(count, i + Grain); i < end; i += Blocks.Size)
            {
                var step = rate * Lanes.Load(g + i, end - i);
                Lanes.Store(step, v + i, end - i);
                Lanes.Store(Lanes.Load(w + i, end - i) + step, w + i, end - i);
            }
        }
    }
}
