namespace Rpat.Engine.Kernels.Cpu;

/// <summary>Convolution: the algorithm depends on the shape alone, so that results do not depend on threads or timing.</summary>
internal unsafe partial class CpuKernels : IConv2dKernels
{
    public string Conv2dAlgorithm(in ConvShape s) => UseWinograd(s) ? "winograd" : "direct";

    public void Conv2dForward(in ConvShape s, in Operand x, DeviceBuffer filters, DeviceBuffer? residual, DeviceBuffer y)
    {
        if (UseWinograd(s)) WinogradForward(s, x, filters.Floats(), residual.FloatsOrNull(), y.Floats());
        else DirectForward(s, x, filters.Floats(), residual.FloatsOrNull(), y.Floats());
    }

    public void Conv2dInputGradient(in ConvShape s, DeviceBuffer dy, DeviceBuffer filters, in Operand through, bool accumulate,
        DeviceBuffer dx)
    {
        float* add = accumulate ? dx.Floats() : null;
        if (UseWinograd(s)) WinogradInputGradient(s, dy.Floats(), filters.Floats(), new Affine(through), add, dx.Floats());
        else DirectInputGradient(s, dy.Floats(), filters.Floats(), new Affine(through), add, dx.Floats());
    }

    public void Conv2dWeightGradient(in ConvShape s, in Operand x, DeviceBuffer dy, bool accumulate, DeviceBuffer dw)
    {
        if (s.Stride == 1 && UseWinograd(s)) WinogradWeightGradient(s, x, dy.Floats(), accumulate, dw.Floats());
        else DirectWeightGradient(s, x, dy.Floats(), accumulate, dw.Floats());
    }

    /// <summary>Winograd for 3×3 layers whose output has room for a 4×4 tile; of stride 2, which saves less, from 32 channels on.</summary>
    private bool UseWinograd(in ConvShape s) => _convolution == ConvolutionAlgorithm.Auto && FitsWinograd(s)
        && Math.Min(s.P, s.Q) >= WinogradTransform.Outputs && (s.Stride == 1 || Math.Min(s.C, s.K) >= 32);
}
