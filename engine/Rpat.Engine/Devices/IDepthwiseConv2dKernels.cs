namespace Rpat.Engine.Devices;

/// <summary>Sizes of a depthwise convolution: x <c>[N, C, H, W]</c>, w <c>[C, 1, R, R]</c>, y
/// <c>[N, C, P, Q]</c>; padding below R.</summary>
public readonly record struct DepthwiseShape(Shape Input, int R, int Stride, int Padding)
{
    /// <summary>Output rows.</summary>
    public int P => (Input.H + 2 * Padding - R) / Stride + 1;

    /// <summary>Output columns.</summary>
    public int Q => (Input.W + 2 * Padding - R) / Stride + 1;

    /// <summary>Size of y.</summary>
    public Shape Output => Input with { H = P, W = Q };
}

/// <summary>Depthwise convolution kernels of a backend; x, y and their gradients are activations.</summary>
public interface IDepthwiseConv2dKernels
{
    /// <summary>y[c] = x[c] ⋆ w[c], the view of x applied and zero padding zero after it.</summary>
    void DepthwiseForward(in DepthwiseShape s, in Operand x, DeviceBuffer w, DeviceBuffer y);

    /// <summary>dx[c] (+)= d·(dy[c] ⋆ᵀ w[c]), with d the derivative of the view
    /// <paramref name="through"/> (1 when it is no view).</summary>
    void DepthwiseInputGradient(in DepthwiseShape s, DeviceBuffer dy, DeviceBuffer w, in Operand through, bool accumulate, DeviceBuffer dx);

    /// <summary>dw[c] (+)= Σ over samples and pixels of x[c] and dy[c], in the order of w.</summary>
    void DepthwiseWeightGradient(in DepthwiseShape s, in Operand x, DeviceBuffer dy, bool accumulate, DeviceBuffer dw);
}
