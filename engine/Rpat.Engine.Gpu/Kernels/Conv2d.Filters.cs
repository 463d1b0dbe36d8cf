using System.Runtime.CompilerServices;
using ILGPU;

namespace Rpat.Engine.Gpu.Kernels;

/// <summary>
/// Convolutions read filters as a matrix with a row for each product of the reduction, <c>[tap][channel]</c> forward and
/// <c>[tap][filter]</c> for the input gradient, and quads of outputs as columns.
/// </summary>
internal sealed partial class GpuKernels
{
    public long Conv2dFilterLength(in ConvShape s, bool inputGradient)
    {
        var (rows, columns) = FilterQuads(s, inputGradient);
        return 16L * s.R * s.R * rows * columns;
    }

    public void Conv2dArrangeFilters(in ConvShape s, bool inputGradient, DeviceBuffer w, DeviceBuffer filters)
    {
        var (rows, columns) = FilterQuads(s, inputGradient);
        var to = filters.Quads();
        ForEach(to.Length, new PackFilter(w.Floats(), s.K, s.C, s.R * s.R, 4 * rows, columns, inputGradient ? 1 : 0, to));
    }

    private static (int Rows, int Columns) FilterQuads(in ConvShape s, bool inputGradient)
    {
        var (k, c) = (ChannelQuads(s.K), ChannelQuads(s.C));
        return inputGradient ? (k, c) : (c, k);
    }
}

/// <summary>One quad of a form, from a weight <c>[K][C][taps]</c>.</summary>
internal readonly struct PackFilter(
    ArrayView<float> w, int filters, int channels, int taps, int rows, int columns, int inputGradient, ArrayView<V4> to) : IKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX;
        if (i >= to.IntLength) return;
        int line = i / columns, column = 4 * (i - line * columns), tap = line / rows, row = line - tap * rows;
        to[i] = new V4(At(tap, row, column), At(tap, row, column + 1), At(tap, row, column + 2), At(tap, row, column + 3));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private float At(int tap, int row, int column)
    {
        int k = inputGradient != 0 ? row : column, c = inputGradient != 0 ? column : row;
        return k < filters && c < channels ? w[(k * channels + c) * taps + tap] : 0;
    }
}
