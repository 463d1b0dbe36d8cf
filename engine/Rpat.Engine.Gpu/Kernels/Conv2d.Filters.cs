using ILGPU;

namespace Rpat.Engine.Gpu.Kernels;

/// <summary>
/// Convolutions read filters in the order of the reduction, over taps and channels (filters, in the input gradient) without gaps. Float32
/// has steps of eight rows, each with a quad for every four outputs; tensor cores have, for each step and output, a line of rounded factors
/// (<see cref="LineTile"/>): rounding once per weight saves every group of every launch from doing it. The phases of an input gradient
/// follow each other, and behind the last one come zeros for loops that read ahead.
/// </summary>
internal sealed partial class GpuKernels<S>
{
    private const int StepsAhead = 2;

    public long Conv2dFilterLength(in ConvShape s, bool inputGradient) =>
        4L * (FirstStep(s, inputGradient, Phases(s, inputGradient)) + StepsAhead) * QuadsOfStep(Outputs(s, inputGradient));

    public void Conv2dArrangeFilters(in ConvShape s, bool inputGradient, DeviceBuffer w, DeviceBuffer filters)
    {
        var from = new Filters(w.Floats(), s.K, s.C, s.R * s.R, inputGradient ? 1 : 0);
        int outputs = Outputs(s, inputGradient), phases = Phases(s, inputGradient);
        for (int phase = 0; phase < phases; phase++)
        {
            int ahead = phase == phases - 1 ? StepsAhead : 0, steps = Steps(GatherOf(s, inputGradient, phase)) + ahead;
            var to = FiltersOf(s, inputGradient, phase, filters.Quads()).SubView(0, (long)steps * QuadsOfStep(outputs));
            Pack(from, GatherOf(s, inputGradient, phase), outputs, to);
        }
    }

    private void Pack(Filters from, Gather gather, int outputs, ArrayView<V4> to)
    {
        if (_precision == Precision.Fp32) ForEach(to.Length, new PackFilter(from, gather, ChannelQuads(outputs), to));
        else if (_precision == Precision.Tf32) ForEach(to.Length, new PackLine<Tf32>(from, gather, Lines(outputs), to.Cast<U4>()));
        else ForEach(to.Length, new PackLine<Bf16>(from, gather, Lines(outputs), to.Cast<U4>()));
    }

    /// <summary>The filters of a phase and what follows.</summary>
    private ArrayView<V4> FiltersOf(in ConvShape s, bool inputGradient, int phase, ArrayView<V4> filters)
    {
        long from = (long)FirstStep(s, inputGradient, phase) * QuadsOfStep(Outputs(s, inputGradient));
        return filters.SubView(from, filters.Length - from);
    }

    private int FirstStep(in ConvShape s, bool inputGradient, int phase)
    {
        int steps = 0;
        for (int before = 0; before < phase; before++) steps += Steps(GatherOf(s, inputGradient, before));
        return steps;
    }

    /// <summary>Steps of the reduction.</summary>
    private int Steps(in Gather gather) => Ceiling(gather.Taps * gather.SourceRows, Depth);

    /// <summary>Factors of a step along the reduction.</summary>
    private int Depth => _precision switch
    {
        Precision.Fp32 => GemmTile.Step,
        Precision.Tf32 => 4 * LineTile.Quads,
        _ => 8 * LineTile.Quads,
    };

    private int QuadsOfStep(int outputs) =>
        _precision == Precision.Fp32 ? GemmTile.Step * ChannelQuads(outputs) : LineTile.Quads * Lines(outputs);

    private static int Lines(int outputs) => Ceiling(outputs, LineTile.Outputs) * LineTile.Outputs;

    private static Gather GatherOf(in ConvShape s, bool inputGradient, int phase) =>
        inputGradient ? Gather.InputGradient(s, phase) : Gather.Forward(s);

    private static int Phases(in ConvShape s, bool inputGradient) => inputGradient ? s.Stride * s.Stride : 1;

    private static int Outputs(in ConvShape s, bool inputGradient) => inputGradient ? s.C : s.K;
}

/// <summary>
/// A weight <c>[K][C][taps]</c> seen as one matrix per tap: channels by filters, or for the input gradient filters by channels.
/// </summary>
internal readonly struct Filters(ArrayView<float> w, int filters, int channels, int taps, int inputGradient)
{
    /// <summary>A value, zero in the padding and where there is no tap.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float At(int tap, int row, int column)
    {
        int k = inputGradient != 0 ? row : column, c = inputGradient != 0 ? column : row;
        return tap >= 0 && k < filters && c < channels ? w[(k * channels + c) * taps + tap] : 0;
    }

    /// <summary>Four outputs of a row of the reduction.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V4 Across(Gather gather, int row, int output)
    {
        int number = row / gather.SourceRows, tap = gather.FilterTap(number), r = row - number * gather.SourceRows;
        return new V4(At(tap, r, output), At(tap, r, output + 1), At(tap, r, output + 2), At(tap, r, output + 3));
    }

    /// <summary>Four rows of an output, all of one tap.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V4 Along(Gather gather, int row, int output)
    {
        int number = row / gather.SourceRows, tap = gather.FilterTap(number), r = row - number * gather.SourceRows;
        return new V4(At(tap, r, output), At(tap, r + 1, output), At(tap, r + 2, output), At(tap, r + 3, output));
    }
}

/// <summary>Packs one quad from a weight: <c>[row of the reduction][quad of outputs]</c>.</summary>
internal readonly struct PackFilter(Filters from, Gather gather, int columns, ArrayView<V4> to) : IKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX;
        if (i >= to.IntLength) return;
        int row = i / columns;
        to[i] = from.Across(gather, row, 4 * (i - row * columns));
    }
}

/// <summary>A quad of words of the lines <c>[step][output][16 words]</c>.</summary>
internal readonly struct PackLine<T>(Filters from, Gather gather, int lines, ArrayView<U4> to) : IKernel where T : struct, IWord
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run()
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX;
        if (i >= to.IntLength) return;
        int line = i / LineTile.Quads, step = line / lines, output = LineTile.OutputOf(line - step * lines);
        int row = (step * LineTile.Quads + (i - line * LineTile.Quads)) * 4 * T.Factors;
        V4 first = from.Along(gather, row, output);
        to[i] = T.Along(first, T.Factors == 2 ? from.Along(gather, row + 4, output) : first);
    }
}
