namespace Rpat.Engine.Kernels.Cpu;

internal unsafe partial class CpuKernels : IAttackStartKernels
{
    public void LinfStart(int n, int sampleCount, DeviceBuffer x, float eps, in RandomKey key, ReadOnlySpan<long> samples,
        DeviceBuffer adversarial)
    {
        fixed (long* s = samples) _pool.Run(new StartSample(sampleCount, x.Floats(), eps, key, s, adversarial.Floats(), false), n);
    }

    public void L2Start(int n, int sampleCount, DeviceBuffer x, float eps, in RandomKey key, ReadOnlySpan<long> samples,
        DeviceBuffer adversarial)
    {
        fixed (long* s = samples) _pool.Run(new StartSample(sampleCount, x.Floats(), eps, key, s, adversarial.Floats(), true), n);
    }

    public void GaussianStart(int n, int sampleCount, DeviceBuffer x, float deviation, in RandomKey key, ReadOnlySpan<long> samples,
        DeviceBuffer adversarial)
    {
        fixed (long* s = samples) _pool.Run(new NormalSample(sampleCount, x.Floats(), deviation, key, s, adversarial.Floats()), n);
    }

    private readonly struct NormalSample(int count, float* x, float deviation, RandomKey key, long* samples, float* adversarial) : IJob
    {
        public void Run(int index, Worker worker)
        {
            float* from = x + (long)index * count, to = adversarial + (long)index * count;
            (key with { Sample = samples[index] }).Stream().FillNormal(new Span<float>(to, count));
            for (int i = 0; i < count; i += Blocks.Size)
                Lanes.Store(Lanes.Load(from + i, count - i) + deviation * Lanes.Load(to + i, count - i), to + i, count - i);
        }
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
