namespace Rpat.Engine.Devices;

/// <summary>
/// Maps of H×W pixels, of which each output row is a weighted sum of a few adjacent input rows, and the same for columns. A table holds one
/// line of 2 + Taps numbers per output row, then one per output column: the first input, how many there are, and their weights.
/// </summary>
/// <param name="H">Output rows.</param>
/// <param name="W">Output columns.</param>
/// <param name="Taps">The largest number of inputs of a row or column.</param>
public readonly record struct ResampleShape(Shape Input, Layout Layout, int H, int W, int Taps)
{
    /// <summary>Size of y.</summary>
    public Shape Output => Input with { H = H, W = W };

    /// <summary>Numbers of a line of the table.</summary>
    public int Line => 2 + Taps;
}

/// <summary>The kernel of means over windows and of interpolation; the gradient is the same kernel with the transposed table.</summary>
public interface IResampleKernels
{
    /// <summary>y (+)= d·(weighted sums of x), the view of x applied, with d the derivative of the view <paramref name="through"/> of y.
    /// Views are for activations only.</summary>
    void Resample(in ResampleShape s, in Operand x, DeviceBuffer table, in Operand through, bool accumulate, DeviceBuffer y);
}
