namespace Rpat.Engine.Autograd;

/// <summary>
/// A copy of a weight in the arrangement that a kernel reads (packed, transformed). It lives in the tape's arena and is made
/// again when the weight has changed, or when other values may have taken its place.
/// </summary>
internal sealed class DerivedWeight(Tape tape, Parameter weight, Tensor storage, Action<IKernels, DeviceBuffer> make)
{
    private (long Version, long Stretch) _made = (-1, -1);

    /// <summary>The tensor that the plan places.</summary>
    public Tensor Storage => storage;

    /// <summary>The copy, up to date.</summary>
    public DeviceBuffer Ready(IKernels kernels)
    {
        var now = (weight.Version, tape.Stretch);
        if (_made != now) make(kernels, storage.Data);
        _made = now;
        return storage.Data;
    }
}
