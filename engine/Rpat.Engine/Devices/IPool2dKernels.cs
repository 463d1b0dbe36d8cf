namespace Rpat.Engine.Devices;

/// <summary>Pooling kernels of a backend.</summary>
public interface IPool2dKernels
{
    /// <summary>y[n, c] = mean over the map of x with its view applied; y is plain <c>[N, C]</c>.</summary>
    void GlobalAveragePool(Shape shape, in Operand x, DeviceBuffer y);

    /// <summary>dx (+)= d·dy/(H·W), with d the derivative of <paramref name="through"/>.</summary>
    void GlobalAveragePoolGradient(Shape shape, DeviceBuffer dy, in Operand through, bool accumulate, DeviceBuffer dx);

    /// <summary>Largest value of each window×window block at the given stride; windows that would cross the edge are left out.</summary>
    void MaxPool(Shape shape, int window, int stride, in Operand x, DeviceBuffer y);

    /// <summary>dx (+)= dy at the first largest value of each window (PyTorch's choice), times the derivative of the view.</summary>
    void MaxPoolGradient(Shape shape, int window, int stride, in Operand x, DeviceBuffer dy, in Operand through, bool accumulate,
        DeviceBuffer dx);
}
