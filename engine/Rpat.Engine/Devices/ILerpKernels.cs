namespace Rpat.Engine.Devices;

/// <summary>Interpolation kernels of a backend.</summary>
public interface ILerpKernels
{
    /// <summary>y = a + t·(b − a), element-wise.</summary>
    void Lerp(long count, DeviceBuffer a, DeviceBuffer b, float t, DeviceBuffer y);

    /// <summary>dx (+)= factor·dy.</summary>
    void Scale(long count, DeviceBuffer dy, float factor, bool accumulate, DeviceBuffer dx);
}
