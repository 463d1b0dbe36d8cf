namespace Rpat.Engine.Devices;

/// <summary>Sizes of pooling over square windows; a window that would cross the padded edge is left out.</summary>
public readonly record struct PoolShape(Shape Input, int Window, int Stride, int Padding = 0)
{
    /// <summary>Size of y.</summary>
    public Shape Output => Input with { H = Outputs(Input.H), W = Outputs(Input.W) };

    /// <summary>The inputs of one output that are not padding, along one axis.</summary>
    public (int First, int End) Taps(int output, int inputs) =>
        (Math.Max(0, output * Stride - Padding), Math.Min(inputs, output * Stride - Padding + Window));

    private int Outputs(int inputs) => (inputs + 2 * Padding - Window) / Stride + 1;
}

/// <summary>Pooling kernels of a backend.</summary>
public interface IPool2dKernels
{
    /// <summary>y[n, c] = mean over the map of x with its view applied; y is plain <c>[N, C]</c>.</summary>
    void GlobalAveragePool(Shape shape, in Operand x, DeviceBuffer y);

    /// <summary>dx (+)= d·dy/(H·W), with d the derivative of <paramref name="through"/>.</summary>
    void GlobalAveragePoolGradient(Shape shape, DeviceBuffer dy, in Operand through, bool accumulate, DeviceBuffer dx);

    /// <summary>Largest value of each window; padding never wins.</summary>
    void MaxPool(in PoolShape s, in Operand x, DeviceBuffer y);

    /// <summary>dx (+)= dy at the first largest value of each window (PyTorch's choice), times the derivative of the view.</summary>
    void MaxPoolGradient(in PoolShape s, in Operand x, DeviceBuffer dy, in Operand through, bool accumulate, DeviceBuffer dx);
}
