namespace Rpat.Engine.Kernels.Cpu;

/// <summary>A weight <c>[K, C, 3, 3]</c> as Winograd's inputs and outputs see it; rotated by 180° for the input gradient.</summary>
internal readonly unsafe struct WinogradFilters(float* w, int k, int c, bool inputGradient, bool strided)
{
    /// <summary>Floats of scratch memory.</summary>
    public const int Scratch = (Together + 1) * Taps * Blocks.Size;

    private const int Taps = 9;
    private const int Together = 4; // inputs whose values are gathered together

    private readonly int _inputs = inputGradient ? k : c;
    private readonly int _outputs = inputGradient ? c : k;

    /// <summary>Transforms the filters of some inputs and of the sixteen outputs of a block.</summary>
    /// <param name="to">The first input's result for position 0; inputs are <paramref name="row"/> apart.</param>
    public void Transform((int First, int End) inputs, int block, float* to, nint row, nint position, float* scratch)
    {
        float* g = scratch + Taps * Blocks.Size;
        for (int i = inputs.First; i < inputs.End; i += Together)
        {
            Gather(i, block * Blocks.Size, g);
            for (int j = 0; j < Together; j++, to += row)
                WinogradTransform.Filter(g + j * Taps * Blocks.Size, strided, scratch, to, position);
        }
    }

    /// <summary>Where one output's filters are from an input on, if they are contiguous; null otherwise.</summary>
    public float* Row(int input, int output) =>
        inputGradient || input >= _inputs || output >= _outputs ? null : w + ((nint)output * c + input) * Taps;

    /// <summary>Values <c>[input][tap][output]</c> of four inputs; zeros for those that only fill a block.</summary>
    private void Gather(int input, int output, float* g)
    {
        if (input + Together > _inputs || output + Blocks.Size > _outputs) GatherSome(input, output, g);
        else if (!inputGradient)
            Transposed.Rows(w + ((nint)output * c + input) * Taps, c * Taps, Blocks.Size, Together * Taps, g, Blocks.Size);
        else
            for (int i = 0; i < Together; i++, g += Taps * Blocks.Size)
                Transposed.Rows(w + ((nint)(input + i) * c + output) * Taps, Taps, Blocks.Size, Taps, g + (Taps - 1) * Blocks.Size,
                    -Blocks.Size);
    }

    private void GatherSome(int input, int output, float* g)
    {
        for (int i = input; i < input + Together; i++)
            for (int tap = 0; tap < Taps; tap++)
                for (int lane = output; lane < output + Blocks.Size; lane++)
                    *g++ = inputGradient ? Columns.At(w, k, c, Taps, i, lane, Taps - 1 - tap) : Columns.At(w, k, c, Taps, lane, i, tap);
    }
}

/// <summary>Transforms a weight for all 36 positions, one item per panel and part of the inputs.</summary>
internal readonly unsafe struct WinogradFilterJob(WinogradFilters filters, WinogradShape shape, float* to) : IJob
{
    private const int Parts = 4;

    public int Items => Panel.Count(shape.OutputBlocks) * Parts;

    public void Run(int index, Worker worker)
    {
        var panel = Panel.At(index / Parts, shape.OutputBlocks);
        int part = index % Parts, blocks = shape.InputBlocks;
        (int First, int End) inputs = (blocks * part / Parts * Blocks.Size, blocks * (part + 1) / Parts * Blocks.Size);
        float* target = to + panel.Offset(shape.Inputs) + (nint)inputs.First * panel.Columns;
        for (int j = 0; j < panel.Blocks; j++)
            filters.Transform(inputs, panel.Block + j, target + j * Blocks.Size, panel.Columns,
                WinogradShape.FilterStep(shape.Inputs, shape.Outputs), worker.Scratch(2, WinogradFilters.Scratch));
    }
}
