using ILGPU;

namespace Rpat.Engine.Gpu.Kernels;

/// <summary>
/// Convolutions read filters as a matrix with one row per product of the reduction, <c>[tap][channel]</c> forward and <c>[tap][filter]</c>
/// for the input gradient, and quads of outputs as columns. On tensor cores, if the source has enough channels, they read lines of rounded
/// factors instead (<see cref="LineTile"/>): rounding once per weight saves every group of every launch from doing it.
/// </summary>
internal sealed partial class GpuKernels
{
    public long Conv2dFilterLength(in ConvShape s, bool inputGradient)
    {
        var (rows, columns) = FilterQuads(s, inputGradient);
        if (!UsesLines(rows)) return 16L * s.R * s.R * rows * columns;
        return 16L * s.R * s.R * LineChunks(rows) * columns * LineTile.ChannelQuads / (_precision == Precision.Bf16 ? 2 : 1);
    }

    public void Conv2dArrangeFilters(in ConvShape s, bool inputGradient, DeviceBuffer w, DeviceBuffer filters)
    {
        var (rows, columns) = FilterQuads(s, inputGradient);
        var from = new Filters(w.Floats(), s.K, s.C, s.R * s.R, inputGradient ? 1 : 0);
        var to = filters.Quads();
        if (!UsesLines(rows)) ForEach(to.Length, new PackFilter(from, 4 * rows, columns, to));
        else if (_precision == Precision.Tf32) ForEach(to.Length, new PackLine<Tf32>(from, LineChunks(rows), 4 * columns, to.Cast<U4>()));
        else ForEach(to.Length, new PackLine<Bf16>(from, LineChunks(rows), 4 * columns, to.Cast<U4>()));
    }

    /// <summary>Whether the product over a source with that many quads of channels reads filters as lines.</summary>
    private bool UsesLines(int sourceQuads) => _precision != Precision.Fp32 && sourceQuads >= LineTile.LeastQuads;

    private static int LineChunks(int sourceQuads) => Ceiling(sourceQuads, LineTile.ChannelQuads);

    private static (int Rows, int Columns) FilterQuads(in ConvShape s, bool inputGradient)
    {
        var (k, c) = (ChannelQuads(s.K), ChannelQuads(s.C));
        return inputGradient ? (k, c) : (c, k);
    }
}

/// <summary>
/// A weight <c>[K][C][taps]</c> seen as one matrix per tap: channels by filters, or for the input gradient filters by channels.
/// </summary>
internal readonly struct Filters(ArrayView<float> w, int filters, int channels, int taps, int inputGradient)
{
    /// <summary>A value, zero in the padding.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float At(int tap, int row, int column)
    {
        int k = inputGradient != 0 ? row : column, c = inputGradient != 0 ? column : row;
        return k < filters && c < channels ? w[(k * channels + c) * taps + tap] : 0;
    }
}

/// <summary>Packs one quad from a weight.</summary>
internal readonly struct PackFilter(Filters from, int rows, int columns, ArrayView<V4> to) : IKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX;
        if (i >= to.IntLength) return;
        int line = i / columns, column = 4 * (i - line * columns), tap = line / rows, row = line - tap * rows;
        to[i] = new V4(from.At(tap, row, column), from.At(tap, row, column + 1), from.At(tap, row, column + 2),
            from.At(tap, row, column + 3));
    }
}
