namespace Rpat.Engine.Autograd;

/// <summary>
/// A copy of a weight in the arrangement that a kernel reads (packed, transformed). It lives in the tape's arena and is packed again when
/// the weight has changed, or when its memory may have been overwritten.
/// </summary>
public sealed class PackedWeight
{
    private readonly Tape _tape;
    private readonly Tensor _weight;
    private readonly Action<IKernels, DeviceBuffer> _make;
    private (long Version, long Stretch) _made = (-1, -1);

    internal PackedWeight(Tape tape, Tensor weight, Tensor storage, Action<IKernels, DeviceBuffer> make) =>
        (_tape, _weight, Storage, _make) = (tape, weight, storage, make);

    /// <summary>The tensor that the plan places.</summary>
    public Tensor Storage { get; }

    /// <summary>The copy, up to date.</summary>
    public DeviceBuffer Get(IKernels kernels)
    {
        var now = ((_weight as Parameter)?.Version ?? _tape.Passes, _tape.WeightVersion);
        if (_made != now) _make(kernels, Storage.Data);
        _made = now;
        return Storage.Data;
    }
}
