using Rpat.Engine.Nn;

namespace Rpat.Engine.Kernels.Cpu;

/// <summary>
/// The packed forms of one convolution weight, made when first needed and kept until the weight changes, so that ten attack
/// iterations pack once. Each form is a list of panels; a panel is a matrix <c>[rows][columns]</c> with one row a product of
/// the reduction.
/// </summary>
internal sealed unsafe class PackedFilters(Parameter weight)
{
    private readonly Form _forward = new();
    private readonly Form _inputGradient = new();
    private readonly Form _winogradForward = new();
    private readonly Form _winogradInputGradient = new();
    private StridePhases? _phases; // whose order _inputGradient has: a weight may be used with several strides

    private int K => weight.Dimensions[0];
    private int C => weight.Dimensions[1];
    private int R => weight.Dimensions[2];

    public static PackedFilters Of(Parameter weight) => (PackedFilters)(weight.Packed ??= new PackedFilters(weight));

    /// <summary>Forward direct form, rows (channel block, r, s, channel); columns filters.</summary>
    public float* Forward(WorkerPool pool)
    {
        long rows = (long)Blocks.Count(C) * R * R * Blocks.Size;
        if (_forward.Refresh(weight, rows * Blocks.Count(K) * Blocks.Size, out float* to))
            pool.Run(new ForwardJob(weight.Data.Floats(), K, C, R, to), Blocks.Count(K));
        return to;
    }

    /// <summary>Forward form for images of few channels, rows (r, s, channel); columns filters.</summary>
    public float* Stem()
    {
        int rows = R * R * C;
        if (_forward.Refresh(weight, (long)rows * Blocks.Count(K) * Blocks.Size, out float* to))
            PackStem(weight.Data.Floats(), rows, to);
        return to;
    }

    /// <summary>Input-gradient direct form, rows (phase, tap, filter block, filter); columns channels.</summary>
    public float* InputGradient(WorkerPool pool, StridePhases phases)
    {
        long rows = (long)R * R * Blocks.Count(K) * Blocks.Size;
        bool stale = _inputGradient.Refresh(weight, rows * Blocks.Count(C) * Blocks.Size, out float* to);
        if (stale || _phases != phases)
            pool.Run(new InputGradientJob(weight.Data.Floats(), K, C, R, phases, to), Blocks.Count(C));
        _phases = phases;
        return to;
    }

    /// <summary>Winograd form, 36 positions, each rows (input channel), columns (output channel).</summary>
    public float* Winograd(WorkerPool pool, bool inputGradient)
    {
        int inputs = Blocks.Count(inputGradient ? K : C) * Blocks.Size, outputs = Blocks.Count(inputGradient ? C : K);
        var form = inputGradient ? _winogradInputGradient : _winogradForward;
        if (form.Refresh(weight, WinogradTransform.Positions * WinogradShape.FilterStep(inputs, outputs * Blocks.Size), out float* to))
            pool.Run(new WinogradFilterJob(weight.Data.Floats(), K, C, inputGradient, to), outputs);
        return to;
    }

    /// <summary>The first layer's input gradient: a vector of 16 filters for each (phase, channel, tap, filter block).</summary>
    public float* StemGradient(StridePhases phases)
    {
        bool stale = _inputGradient.Refresh(weight, (long)C * R * R * Blocks.Count(K) * Blocks.Size, out float* to);
        if (stale || _phases != phases) PackStemGradient(weight.Data.Floats(), phases, to);
        _phases = phases;
        return to;
    }

    private void PackStemGradient(float* w, StridePhases phases, float* to)
    {
        foreach (var phase in phases.All)
            for (int c = 0; c < C; c++)
                foreach (var tap in phase.Taps)
                    for (int k = 0; k < Blocks.Count(K) * Blocks.Size; k++)
                        *to++ = Columns.At(w, K, C, R * R, k, c, tap.R * R + tap.S);
    }

    private void PackStem(float* w, int rows, float* to)
    {
        for (int i = 0; i < Panel.Count(Blocks.Count(K)); i++)
        {
            var panel = Panel.At(i, Blocks.Count(K));
            for (int row = 0; row < rows; row++)
                for (int j = 0; j < panel.Columns; j++)
                {
                    int k = panel.Block * Blocks.Size + j, c = row % C, tap = row / C;
                    to[panel.Offset(rows) + (long)row * panel.Columns + j] = k < K ? w[((long)k * C + c) * R * R + tap] : 0;
                }
        }
    }

    /// <summary>One packed form and the weight version that it was made from.</summary>
    private sealed class Form
    {
        private DeviceBuffer? _buffer;
        private long _version;

        public bool Refresh(Parameter weight, long floats, out float* pointer)
        {
            _buffer ??= weight.Device.Allocate(floats);
            pointer = _buffer.Floats();
            bool stale = _version != weight.Version;
            _version = weight.Version;
            return stale;
        }
    }

    /// <summary>Packs one block of filters.</summary>
    private readonly struct ForwardJob(float* w, int k, int c, int r, float* to) : IJob
    {
        public void Run(int index, Worker worker)
        {
            var panel = Columns.PanelOf(index, Blocks.Count(k));
            int taps = r * r, cb = Blocks.Count(c);
            long rows = (long)cb * taps * Blocks.Size;
            float* target = to + panel.Offset(rows) + (index - panel.Block) * Blocks.Size;
            for (int b = 0; b < cb; b++)
                for (int tap = 0; tap < taps; tap++)
                    for (int i = 0; i < Blocks.Size; i++, target += panel.Columns)
                        for (int j = 0; j < Blocks.Size; j++)
                            target[j] = Columns.At(w, k, c, taps, index * Blocks.Size + j, b * Blocks.Size + i, tap);
        }
    }

    /// <summary>Packs one block of channels for the input gradient.</summary>
    private readonly struct InputGradientJob(float* w, int k, int c, int r, StridePhases phases, float* to) : IJob
    {
        public void Run(int index, Worker worker)
        {
            var panel = Columns.PanelOf(index, Blocks.Count(c));
            int taps = r * r, kb = Blocks.Count(k);
            float* target = to + panel.Offset((long)taps * kb * Blocks.Size) + (index - panel.Block) * Blocks.Size;
            foreach (var phase in phases.All)
                foreach (var tap in phase.Taps)
                    for (int i = 0; i < kb * Blocks.Size; i++, target += panel.Columns)
                        for (int j = 0; j < Blocks.Size; j++)
                            target[j] = Columns.At(w, k, c, taps, i, index * Blocks.Size + j, tap.R * r + tap.S);
        }
    }
}

internal static unsafe class Columns
{
    /// <summary>The panel that holds a block of columns.</summary>
    public static Panel PanelOf(int block, int blocks)
    {
        int fours = blocks / 4 * 4;
        if (block < fours) return new Panel(block / 4 * 4, 4);
        return (blocks - fours, block - fours) switch
        {
            (1, _) => new Panel(fours, 1),
            (2, _) or (3, < 2) => new Panel(fours, 2),
            _ => new Panel(fours + 2, 1),
        };
    }

    /// <summary>w[k, c, tap] of a weight <c>[K, C, taps]</c>, zero in the padding of a block.</summary>
    public static float At(float* w, int kCount, int cCount, int taps, int k, int c, int tap) =>
        k < kCount && c < cCount ? w[((long)k * cCount + c) * taps + tap] : 0;
}
