namespace Rpat.Engine.Kernels.Cpu;

internal unsafe partial class CpuKernels : ILerpKernels
{
    public void Lerp(long count, DeviceBuffer a, DeviceBuffer b, float t, DeviceBuffer y) =>
        _pool.Run(new LerpPiece(count, a.Floats(), b.Floats(), t, y.Floats()), Pieces(count));

    public void Scale(long count, DeviceBuffer dy, float factor, bool accumulate, DeviceBuffer dx) =>
        _pool.Run(new ScalePiece(count, dy.Floats(), factor, accumulate, dx.Floats()), Pieces(count));

    private readonly struct LerpPiece(long count, float* a, float* b, float t, float* y) : IJob
    {
        public void Run(int index, Worker worker)
        {
            for (long i = (long)index * Grain, end = Math.Min(count, i + Grain); i < end; i += Blocks.Size)
            {
                var from = Lanes.Load(a + i, end - i);
                Lanes.Store(from + t * (Lanes.Load(b + i, end - i) - from), y + i, end - i);
            }
        }
    }

    private readonly struct ScalePiece(long count, float* dy, float factor, bool accumulate, float* dx) : IJob
    {
        public void Run(int index, Worker worker)
        {
            for (long i = (long)index * Grain, end = Math.Min(count, i + Grain); i < end; i += Blocks.Size)
            {
                var v = factor * Lanes.Load(dy + i, end - i);
                if (accumulate) v += Lanes.Load(dx + i, end - i);
                Lanes.Store(v, dx + i, end - i);
            }
        }
    }
}
