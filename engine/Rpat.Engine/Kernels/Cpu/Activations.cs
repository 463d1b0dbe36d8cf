namespace Rpat.Engine.Kernels.Cpu;

/// <summary>Conversion between <c>[N][C][pixels]</c> and <c>[N][blocks][pixels][16]</c>, one item per image.</summary>
internal sealed unsafe partial class CpuKernels : IActivationsKernels
{
    public void ToActivations(Shape shape, DeviceBuffer plain, DeviceBuffer activations) =>
        _pool.Run(new BlockImage(shape, plain.Floats(), activations.Floats()), shape.N);

    public void FromActivations(Shape shape, DeviceBuffer activations, bool accumulate, DeviceBuffer plain) =>
        _pool.Run(new UnblockImage(shape, activations.Floats(), accumulate, plain.Floats()), shape.N);
}

/// <summary>One image into blocks; the lanes after the last channel become zero.</summary>
internal readonly unsafe struct BlockImage(Shape s, float* plain, float* blocked) : IJob
{
    public void Run(int index, Worker worker)
    {
        int padded = Blocks.Count(s.C) * Blocks.Size;
        float* from = plain + (long)index * s.SampleCount;
        float* to = blocked + (long)index * padded * s.Area;
        for (int c = 0; c < padded; c++)
        {
            float* lane = to + (long)(c / Blocks.Size) * s.Area * Blocks.Size + c % Blocks.Size;
            for (int i = 0; i < s.Area; i++) lane[(long)i * Blocks.Size] = c < s.C ? from[(long)c * s.Area + i] : 0;
        }
    }
}

/// <summary>One image out of its blocks, stored or added.</summary>
internal readonly unsafe struct UnblockImage(Shape s, float* blocked, bool accumulate, float* plain) : IJob
{
    public void Run(int index, Worker worker)
    {
        float* from = blocked + (long)index * Blocks.Count(s.C) * Blocks.Size * s.Area;
        float* to = plain + (long)index * s.SampleCount;
        for (int c = 0; c < s.C; c++, to += s.Area)
        {
            float* lane = from + (long)(c / Blocks.Size) * s.Area * Blocks.Size + c % Blocks.Size;
            for (int i = 0; i < s.Area; i++) to[i] = lane[(long)i * Blocks.Size] + (accumulate ? to[i] : 0);
        }
    }
}
