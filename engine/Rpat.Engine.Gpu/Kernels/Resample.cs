using ILGPU;

namespace Rpat.Engine.Gpu.Kernels;

internal sealed partial class GpuKernels<S> : IResampleKernels
{
    public void Resample(in ResampleShape s, in Operand x, DeviceBuffer table, in Operand through, bool accumulate, DeviceBuffer y) =>
        ForEach(Values(s.Output, s.Layout), new ResampleValue(
            Seen(s.Input, s.Layout, x), new(s.Input, s.Layout), new(s.Output, s.Layout), s.H, s.Line, table.Floats(),
            Seen(s.Output, s.Layout, through), accumulate ? 1 : 0, Stored(s.Layout, y)));
}

/// <summary>One weighted sum of pixels.</summary>
internal readonly struct ResampleValue(
    PlainSource x, Cells input, Cells output, int rows, int line, ArrayView<float> table, PlainSource through, int accumulate,
    Numbers y) : IKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX;
        if (i >= y.Count) return;
        float v = 0;
        if (output.IsChannel(i)) v = through.Backward(Sum(output[i]), i);
        y.Put(i, v, accumulate);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private float Sum(Cell to)
    {
        int row = to.H * line, column = (rows + to.W) * line;
        int h = (int)table[row], hs = (int)table[row + 1], w = (int)table[column], ws = (int)table[column + 1];
        float sum = 0;
        for (int a = 0; a < hs; a++)
            for (int b = 0; b < ws; b++)
                sum += table[row + 2 + a] * table[column + 2 + b] * x.Load(input.At(to.N, to.C, h + a, w + b));
        return sum;
    }
}
