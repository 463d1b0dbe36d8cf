namespace Rpat.Engine.Devices;

/// <summary>
/// Sizes of a 2-D convolution with square kernels: x <c>[N, C, H, W]</c>, w <c>[K, C, R, R]</c>, y <c>[N, K, P, Q]</c>. Images are plain,
/// activations blocked; the padding is a border of zeros on each side.
/// </summary>
public readonly record struct ConvShape(Shape Input, Layout InputLayout, int K, int R, int Stride, int Padding)
{
    /// <summary>Further rows and columns of zeros behind the map alone: 1 with padding 0 and stride 2 is TensorFlow's SAME.</summary>
    public int Trailing { get; init; }

    /// <summary>Input channels.</summary>
    public int C => Input.C;

    /// <summary>Output rows.</summary>
    public int P => (Input.H + 2 * Padding + Trailing - R) / Stride + 1;

    /// <summary>Output columns.</summary>
    public int Q => (Input.W + 2 * Padding + Trailing - R) / Stride + 1;

    /// <summary>Size of y.</summary>
    public Shape Output => new(Input.N, K, P, Q);

    /// <summary>Floating-point operations of one pass by the direct method, a multiply-add counted as two.</summary>
    public double Flops => 2.0 * Output.Count * C * R * R;
}

/// <summary>Convolution kernels of a backend.</summary>
public interface IConv2dKernels
{
    /// <summary>Short name of the algorithm that this backend uses for a size, such as <c>direct</c>.</summary>
    string Conv2dAlgorithm(in ConvShape s);

    /// <summary>Words of the packed filters that a pass reads; 0 if the pass reads the weight itself.</summary>
    /// <param name="s">Sizes; the answer must not depend on the batch.</param>
    /// <param name="inputGradient">The input gradient's packing instead of the forward pass's.</param>
    long Conv2dFilterLength(in ConvShape s, bool inputGradient);

    /// <summary>Packs the weight w <c>[K, C, R, R]</c> for the forward pass or the input gradient.</summary>
    void Conv2dArrangeFilters(in ConvShape s, bool inputGradient, DeviceBuffer w, DeviceBuffer filters);

    /// <summary>y = x ⋆ w [+ residual].</summary>
    void Conv2dForward(in ConvShape s, in Operand x, DeviceBuffer filters, DeviceBuffer? residual, DeviceBuffer y);

    /// <summary>dx (+)= d·(dy ⋆ᵀ w), with d the derivative of the view <paramref name="through"/> (1 when it is no view).</summary>
    void Conv2dInputGradient(in ConvShape s, DeviceBuffer dy, DeviceBuffer filters, in Operand through, bool accumulate, DeviceBuffer dx);

    /// <summary>dw (+)= Σ over samples and pixels of x and dy, in the order of w.</summary>
    void Conv2dWeightGradient(in ConvShape s, in Operand x, DeviceBuffer dy, bool accumulate, DeviceBuffer dw);
}
