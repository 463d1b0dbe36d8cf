namespace Rpat.Engine.Devices;

/// <summary>Kernels that convert between plain rows and the activation layout.</summary>
public interface IActivationsKernels
{
    /// <summary>Plain <c>[N, C, H, W]</c> to activations of the same size.</summary>
    void ToActivations(Shape shape, DeviceBuffer plain, DeviceBuffer activations);

    /// <summary>Activations to plain: plain (+)= activations.</summary>
    void FromActivations(Shape shape, DeviceBuffer activations, bool accumulate, DeviceBuffer plain);
}
