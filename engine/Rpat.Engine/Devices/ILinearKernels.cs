namespace Rpat.Engine.Devices;

/// <summary>Fully connected kernels of a backend: x <c>[N, C]</c>, w <c>[K, C]</c>, y <c>[N, K]</c>, all plain.</summary>
public interface ILinearKernels
{
    /// <summary>y = x·wᵀ [+ bias].</summary>
    void LinearForward(int n, int c, int k, DeviceBuffer x, DeviceBuffer w, DeviceBuffer? bias, DeviceBuffer y);

    /// <summary>dx (+)= dy·w.</summary>
    void LinearInputGradient(int n, int c, int k, DeviceBuffer dy, DeviceBuffer w, bool accumulate, DeviceBuffer dx);

    /// <summary>dw (+)= dyᵀ·x and dbias (+)= Σ dy, each unless it is null.</summary>
    void LinearWeightGradient(int n, int c, int k, DeviceBuffer x, DeviceBuffer dy, bool accumulate, DeviceBuffer? dw, DeviceBuffer? dbias);
}
