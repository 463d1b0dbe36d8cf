using Rpat.Engine.Random;

namespace Rpat.Engine.Kernels.Cpu;

internal sealed unsafe partial class CpuKernels : IAttackStartKernels
{
    public void LinfStart(int n, int sampleCount, DeviceBuffer x, float eps, in RandomKey key, ReadOnlySpan<long> samples, DeviceBuffer adversarial)
    {
        fixed (long* s = samples)
            _pool.Run(new StartSample(sampleCount, x.Floats(), eps, key, s, adversarial.Floats(), false), n);
    }

    public void L2Start(int n, int sampleCount, DeviceBuffer x, float eps, in RandomKey key, ReadOnlySpan<long> samples, DeviceBuffer adversarial)
    {
        fixed (long* s = samples)
            _pool.Run(new StartSample(sampleCount, x.Floats(), eps, key, s, adversarial.Floats(), true), n);
    }

    private readonly struct StartSample(int count, float* x, float eps, RandomKey key, long* samples, float* adversarial, bool l2) : IJob
    {
        public void Run(int index, Worker worker)
        {
            var stream = (key with { Sample = samples[index] }).Stream();
            float* from = x + (long)index * count, to = adversarial + (long)index * count;
            if (l2)
            {
                stream.FillUniform(new Span<float>(to, count));
                Norm.ScaleIntoBall(from, to, count, eps);
                return;
            }
            stream.FillSymmetric(new Span<float>(to, count));
            for (int i = 0; i < count; i += Blocks.Size)
                Lanes.Store(Pixel.Clamp(Lanes.Load(from + i, count - i) + eps * Lanes.Load(to + i, count - i)), to + i, count - i);
        }
    }
}
