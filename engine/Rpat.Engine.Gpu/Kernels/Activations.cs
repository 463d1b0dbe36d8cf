namespace Rpat.Engine.Gpu.Kernels;

internal sealed partial class GpuKernels : IActivationsKernels
{
    public void ToActivations(Shape shape, DeviceBuffer plain, DeviceBuffer activations) =>
        Pack(shape, plain.Floats(), default, activations.Quads());

    public void FromActivations(Shape shape, DeviceBuffer activations, bool accumulate, DeviceBuffer plain) =>
        UnpackGradient(shape, activations.Quads(), plain, accumulate, plain);
}
