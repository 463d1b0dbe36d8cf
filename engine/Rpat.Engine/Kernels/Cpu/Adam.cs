namespace Rpat.Engine.Kernels.Cpu;

internal unsafe partial class CpuKernels : IAdamKernels
{
    public void Adam(long count, DeviceBuffer weights, DeviceBuffer gradients, DeviceBuffer mean, DeviceBuffer square, in AdamStep step,
        in StepFactors factors) => _pool.Run(new AdamPiece(count, weights.Floats(), gradients.Floats(), mean.Floats(), square.Floats(),
            step, new StepRates(factors)), Pieces(count));

    private readonly struct AdamPiece(long count, float* weights, float* gradients, float* mean, float* square, AdamStep step,
        StepRates rates) : IJob
    {
        public void Run(int index, Worker worker)
        {
            for (long i = (long)index * Grain, end = Math.Min(count, i + Grain); i < end; i += Blocks.Size)
            {
                Vec w = Lanes.Load(weights + i, end - i), g = Lanes.Load(gradients + i, end - i);
                Vec rate = rates.Rate(step.Rate, i, end - i), decay = rates.WeightDecay(step.WeightDecay, i, end - i);
                if (step.Decoupled) w -= rate * decay * w;
                else g += decay * w;
                Vec m = step.Beta1 * Lanes.Load(mean + i, end - i) + (1 - step.Beta1) * g,
                    v = step.Beta2 * Lanes.Load(square + i, end - i) + (1 - step.Beta2) * g * g;
                Lanes.Store(m, mean + i, end - i);
                Lanes.Store(v, square + i, end - i);
                Vec divisor = step.RootScale * Vector512.Sqrt(v) + Vector512.Create(step.Epsilon);
                Lanes.Store(w - rate / Vector512.Create(step.Correction1) * m / divisor, weights + i, end - i);
            }
        }
    }
}
