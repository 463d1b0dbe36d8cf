namespace Rpat.Engine.Devices;

/// <summary>Element-wise kernels of a backend.</summary>
public interface IPointwiseKernels
{
    /// <summary>y = x with its view applied.</summary>
    void Apply(Shape shape, Layout layout, in Operand x, DeviceBuffer y);

    /// <summary>y = [ReLU](a + b), views applied.</summary>
    void Add(Shape shape, in Operand a, in Operand b, bool relu, DeviceBuffer y);

    /// <summary>dx (+)= d·dy·[y &gt; 0], with d the derivative of <paramref name="through"/>; no mask if y is null.</summary>
    void AddGradient(Shape shape, Layout layout, DeviceBuffer dy, DeviceBuffer? y, in Operand through, bool accumulate, DeviceBuffer dx);
}
