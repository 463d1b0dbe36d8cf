namespace Rpat.Engine.Kernels.Cpu;

internal sealed unsafe partial class CpuKernels : IGatherKernels
{
    public void GatherRows(int rowLength, DeviceBuffer source, ReadOnlySpan<int> from, DeviceBuffer destination, ReadOnlySpan<int> to)
    {
        fixed (int* f = from, t = to)
            _pool.Run(new CopyRow(rowLength, source.Floats(), f, destination.Floats(), t), from.Length);
    }

    private readonly struct CopyRow(int length, float* source, int* from, float* destination, int* to) : IJob
    {
        public void Run(int index, Worker worker)
        {
            long target = to == null ? index : to[index];
            new ReadOnlySpan<float>(source + (long)from[index] * length, length).CopyTo(new Span<float>(destination + target * length, length));
        }
    }
}
