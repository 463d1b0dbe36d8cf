using System.Runtime.CompilerServices;
using ILGPU;
using Rpat.Engine.Nn;

namespace Rpat.Engine.Gpu.Kernels;

/// <summary>
/// The forms in which convolutions read one weight: matrices with a row for each product of the reduction and quads of outputs as
/// columns. Made when first needed and kept until the weight changes, so that ten attack iterations pack once.
/// </summary>
internal sealed class FilterForms(Parameter weight)
{
    private readonly Form _forward = new();
    private readonly Form _inputGradient = new();

    public static FilterForms Of(Parameter weight) => (FilterForms)(weight.Packed ??= new FilterForms(weight));

    /// <summary>Rows (tap, channel), columns filters.</summary>
    public ArrayView<V4> Forward(GpuKernels kernels) => _forward.Refresh(kernels, weight, inputGradient: false);

    /// <summary>Rows (tap, filter), columns channels.</summary>
    public ArrayView<V4> InputGradient(GpuKernels kernels) => _inputGradient.Refresh(kernels, weight, inputGradient: true);

    /// <summary>One form and the version of the weight that it was made from.</summary>
    private sealed class Form
    {
        private DeviceBuffer? _buffer;
        private long _version;

        public ArrayView<V4> Refresh(GpuKernels kernels, Parameter weight, bool inputGradient)
        {
            var d = weight.Dimensions;
            var (rows, columns) = inputGradient ? (d[0], d[1]) : (d[1], d[0]);
            int taps = d[2] * d[3], padded = 4 * GpuKernels.ChannelQuads(rows), quads = GpuKernels.ChannelQuads(columns);
            _buffer ??= weight.Device.Allocate(4L * taps * padded * quads);
            if (_version != weight.Version) kernels.PackFilters(weight, inputGradient, padded, quads, _buffer.Quads());
            _version = weight.Version;
            return _buffer.Quads();
        }
    }
}

internal sealed partial class GpuKernels
{
    public void PackFilters(Parameter weight, bool inputGradient, int rows, int columns, ArrayView<V4> to)
    {
        int k = weight.Dimensions[0], c = weight.Dimensions[1], taps = weight.Dimensions[2] * weight.Dimensions[3];
        ForEach(to.Length, new PackFilter(weight.Data.Floats(), k, c, taps, rows, columns, inputGradient ? 1 : 0, to));
    }
}

/// <summary>One quad of a form, from a weight <c>[K][C][taps]</c>.</summary>
internal readonly struct PackFilter(ArrayView<float> w, int filters, int channels, int taps, int rows, int columns, int inputGradient, ArrayView<V4> to) : IKernel
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
