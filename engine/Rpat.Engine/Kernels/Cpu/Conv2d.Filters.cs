namespace Rpat.Engine.Kernels.Cpu;

/// <summary>
/// The packed filters that the convolutions read: a list of panels; a panel is a matrix <c>[rows][columns]</c> with one row per product of
/// the reduction. The caller keeps them until the weight changes, so that ten attack iterations pack once.
/// </summary>
internal unsafe partial class CpuKernels
{
    public long Conv2dFilterLength(in ConvShape s, bool inputGradient)
    {
        var shape = WinogradShape.Of(s, inputGradient);
        if (UseWinograd(s)) return shape.KeepsFilters ? shape.FilterFloats : 0;
        var (inputs, outputs) = (shape.Inputs, shape.Outputs);
        if (s.InputLayout == Layout.Plain)
            return inputGradient ? StemGradientJob.Columns(s) * (long)inputs : (long)s.R * s.R * s.C * outputs;
        return (long)s.R * s.R * inputs * outputs;
    }

    public void Conv2dArrangeFilters(in ConvShape s, bool inputGradient, DeviceBuffer w, DeviceBuffer filters)
    {
        if (UseWinograd(s)) ArrangeWinograd(s, inputGradient, w.Floats(), filters.Floats());
        else if (inputGradient) ArrangeInputGradient(s, w.Floats(), filters.Floats());
        else ArrangeForward(s, w.Floats(), filters.Floats());
    }

    /// <summary>36 positions, each with rows (input channel) and columns (output channel).</summary>
    private void ArrangeWinograd(in ConvShape s, bool inputGradient, float* w, float* to)
    {
        var shape = WinogradShape.Of(s, inputGradient);
        if (!shape.KeepsFilters) return;
        var job = new WinogradFilterJob(new WinogradFilters(w, s.K, s.C, inputGradient, s.Stride > 1), shape, to);
        _pool.Run(job, job.Items);
    }

    /// <summary>Columns are filters; rows are (channel block, r, s, channel), for images (r, s, channel).</summary>
    private void ArrangeForward(in ConvShape s, float* w, float* to)
    {
        if (s.InputLayout == Layout.Plain) FilterArrangement.Stem(s, w, to);
        else _pool.Run(new ForwardFilterJob(w, s.K, s.C, s.R, to), Blocks.Count(s.K));
    }

    /// <summary>
    /// Rows are (phase, filter block, tap, filter), columns are channels; for images rows are filters, columns are (channel, tap), nine at
    /// a time.
    /// </summary>
    private void ArrangeInputGradient(in ConvShape s, float* w, float* to)
    {
        if (s.InputLayout == Layout.Plain) FilterArrangement.StemGradient(s, w, to);
        else _pool.Run(new InputGradientFilterJob(w, s.K, s.C, s.R, StridePhases.Of(s), to), Blocks.Count(s.C));
    }
}

/// <summary>The first layer's filters: few, so one thread packs them.</summary>
internal static unsafe class FilterArrangement
{
    public static void Stem(in ConvShape s, float* w, float* to)
    {
        int rows = s.R * s.R * s.C;
        for (int i = 0; i < Panel.Count(Blocks.Count(s.K)); i++)
        {
            var panel = Panel.At(i, Blocks.Count(s.K));
            float* target = to + panel.Offset(rows);
            for (int row = 0; row < rows; row++)
                for (int j = 0; j < panel.Columns; j++)
                    *target++ = Columns.At(w, s.K, s.C, s.R * s.R, panel.Block * Blocks.Size + j, row % s.C, row / s.C);
        }
    }

    public static void StemGradient(in ConvShape s, float* w, float* to)
    {
        int taps = s.R * s.R;
        for (int first = 0; first < s.C * taps; first += StemTile.Columns)
            for (int k = 0; k < Blocks.Count(s.K) * Blocks.Size; k++)
                for (int column = first; column < first + StemTile.Columns; column++)
                    *to++ = Columns.At(w, s.K, s.C, taps, k, column / taps, column % taps);
    }
}

/// <summary>Packs one block of filters for the forward pass.</summary>
internal readonly unsafe struct ForwardFilterJob(float* w, int k, int c, int r, float* to) : IJob
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
internal readonly unsafe struct InputGradientFilterJob(float* w, int k, int c, int r, StridePhases phases, float* to) : IJob
{
    public void Run(int index, Worker worker)
    {
        var panel = Columns.PanelOf(index, Blocks.Count(c));
        int taps = r * r, kb = Blocks.Count(k);
        float* target = to + panel.Offset((long)taps * kb * Blocks.Size) + (index - panel.Block) * Blocks.Size;
        foreach (var phase in phases.All)
            for (int b = 0; b < kb; b++)
                foreach (var tap in phase.Taps)
                    for (int i = 0; i < Blocks.Size; i++, target += panel.Columns)
                        for (int j = 0; j < Blocks.Size; j++)
                            target[j] = Columns.At(w, k, c, taps, b * Blocks.Size + i, index * Blocks.Size + j, tap.R * r + tap.S);
    }
}

internal static unsafe class Columns
{
    /// <summary>The panel that contains a block of columns.</summary>
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
