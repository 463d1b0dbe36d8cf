namespace Rpat.Engine.Kernels.Cpu;

internal unsafe partial class CpuKernels : ISgdKernels
{
    public void Sgd(long count, DeviceBuffer weights, DeviceBuffer gradients, DeviceBuffer velocity, in SgdStep step,
        in StepFactors factors) =>
        _pool.Run(new SgdPiece(count, weights.Floats(), gradients.Floats(), velocity.Floats(), step, new(factors)), Pieces(count));

    private readonly struct SgdPiece(long count, float* weights, float* gradients, float* velocity, SgdStep step,
        StepRates rates) : IJob
    {
        public void Run(int index, Worker worker)
        {
            for (long i = (long)index * Grain, end = Math.Min(count, i + Grain); i < end; i += Blocks.Size)
            {
                var w = Lanes.Load(weights + i, end - i);
                var g = Lanes.Load(gradients + i, end - i) + rates.WeightDecay(step.WeightDecay, i, end - i) * w;
                var v = step.Momentum * Lanes.Load(velocity + i, end - i) + g;
                Lanes.Store(v, velocity + i, end - i);
                Lanes.Store(w - rates.Rate(step.Rate, i, end - i) * (step.Nesterov ? g + step.Momentum * v : v), weights + i, end - i);
            }
        }
    }
}

/// <summary>Rates and weight decays of 16 values: the step's, or their own.</summary>
internal readonly unsafe struct StepRates(in StepFactors factors)
{
    private readonly float* _rate = factors.Rate.FloatsOrNull(), _decay = factors.WeightDecay.FloatsOrNull();

    public Vec Rate(float rate, long i, long left) => _rate == null ? Vector512.Create(rate) : rate * Lanes.Load(_rate + i, left);

    public Vec WeightDecay(float decay, long i, long left) => _decay == null ? Vector512.Create(decay) : Lanes.Load(_decay + i, left);
}
