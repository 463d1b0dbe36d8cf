using Rpat.Engine.Kernels.Cpu;

namespace Rpat.Engine.Gpu.Emulation;

/// <summary>
/// The CPU backend with the rounding of a GPU in bfloat16, to measure what it does to accuracy. Memory stays float32, so nothing is saved.
/// </summary>
internal sealed class RoundedCpuDevice : CpuDevice
{
    private readonly RoundedKernels _rounded;

    public RoundedCpuDevice(int threads, ConvolutionAlgorithm convolution) : base(threads, convolution) =>
        _rounded = new RoundedKernels(this, ((CpuKernels)base.Kernels).Pool);

    public override string Description => $"{base.Description}, emulates a GPU's rounding to bfloat16 in float32 memory";

    public override IKernels Kernels => _rounded;

    public override bool RoundsActivations => true;

    public override void UploadBlocked(ReadOnlySpan<float> source, Shape shape, DeviceBuffer destination)
    {
        base.UploadBlocked(source, shape, destination);
        _rounded.Round(destination);
    }
}
