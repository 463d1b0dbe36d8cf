namespace Rpat.Engine.Kernels.Cpu;

internal unsafe partial class CpuKernels : IEmaKernels
{
    public void Ema(long count, DeviceBuffer average, DeviceBuffer values, float decay) =>
        _pool.Run(new EmaPiece(count, average.Floats(), values.Floats(), decay), Pieces(count));

    private readonly struct EmaPiece(long count, float* average, float* values, float decay) : IJob
    {
        public void Run(int index, Worker worker)
        {
            for (long i = (long)index * Grain, end = Math.Min(count, i + Grain); i < end; i += Blocks.Size)
            {
                var moved = decay * Lanes.Load(average + i, end - i) + (1 - decay) * Lanes.Load(values + i, end - i);
                Lanes.Store(moved, average + i, end - i);
            }
        }
    }
}
