namespace Rpat.Engine.Kernels.Cpu;

internal unsafe partial class CpuKernels : IChannelBiasKernels
{
    public void ChannelBias(Shape shape, in Operand x, DeviceBuffer bias, DeviceBuffer y) =>
        _pool.Run(new BiasPlane(shape, new Affine(x), bias.Floats(), y.Floats()), shape.N * Blocks.Count(shape.C));

    public void ChannelBiasGradient(Shape shape, DeviceBuffer dy, bool accumulate, DeviceBuffer dbias) =>
        _pool.Run(new BiasGradient(shape, dy.Floats(), accumulate, dbias.Floats()), Blocks.Count(shape.C));
}

/// <summary>One value per channel, 16 at a time, zero after the last channel.</summary>
internal static unsafe class ChannelVector
{
    public static Vec Load(float* values, int channels, int block)
    {
        int valid = Math.Min(Blocks.Size, channels - block * Blocks.Size);
        if (valid == Blocks.Size) return Vector512.Load(values + block * Blocks.Size);
        float* lanes = stackalloc float[Blocks.Size];
        for (int i = 0; i < Blocks.Size; i++) lanes[i] = i < valid ? values[block * Blocks.Size + i] : 0;
        return Vector512.Load(lanes);
    }
}

/// <summary>y = x + bias on one plane of 16 channels, the view of x applied.</summary>
internal readonly unsafe struct BiasPlane(Shape s, Affine x, float* bias, float* y) : IJob
{
    public void Run(int index, Worker worker)
    {
        int block = index % Blocks.Count(s.C);
        Vec scale = x.ScaleOf(block), shift = x.ShiftOf(block), floor = x.Floor, b = ChannelVector.Load(bias, s.C, block);
        long begin = (long)index * s.Area * Blocks.Size;
        for (long i = begin; i < begin + (long)s.Area * Blocks.Size; i += Blocks.Size)
            (Simd.AtLeast(Vector512.MultiplyAddEstimate(Vector512.Load(x.Data + i), scale, shift), floor) + b).Store(y + i);
    }
}

/// <summary>dbias (+)= Σ dy of one block of channels: pixels in float32, images in double, both in fixed order.</summary>
internal readonly unsafe struct BiasGradient(Shape s, float* dy, bool accumulate, float* dbias) : IJob
{
    public void Run(int index, Worker worker)
    {
        double* sums = stackalloc double[Blocks.Size];
        new Span<double>(sums, Blocks.Size).Clear();
        for (int n = 0; n < s.N; n++)
        {
            Vec plane = Sum(dy + ((long)n * Blocks.Count(s.C) + index) * s.Area * Blocks.Size, s.Area);
            for (int i = 0; i < Blocks.Size; i++) sums[i] += plane[i];
        }
        for (int i = 0, c = index * Blocks.Size; i < Blocks.Size && c < s.C; i++, c++)
            dbias[c] = (float)sums[i] + (accumulate ? dbias[c] : 0);
    }

    private static Vec Sum(float* x, int pixels)
    {
        Vec sum = Vec.Zero;
        for (; pixels > 0; pixels--, x += Blocks.Size) sum += Vector512.Load(x);
        return sum;
    }
}
