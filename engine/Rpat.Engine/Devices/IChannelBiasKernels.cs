namespace Rpat.Engine.Devices;

/// <summary>Kernels of a backend for the bias of a convolution; x and y are activations, the bias one value per channel.</summary>
public interface IChannelBiasKernels
{
    /// <summary>y[c] = x[c] + bias[c], the view of x applied.</summary>
    void ChannelBias(Shape shape, in Operand x, DeviceBuffer bias, DeviceBuffer y);

    /// <summary>dbias[c] (+)= Σ over samples and pixels of dy[c].</summary>
    void ChannelBiasGradient(Shape shape, DeviceBuffer dy, bool accumulate, DeviceBuffer dbias);
}
