using Rpat.Engine;

namespace Rpat.Training;

/// <summary>The training set on the device: a batch is augmented there, with the bits that the host would have made, and only its indices are copied.</summary>
/// <param name="images">The set.</param>
/// <param name="augment">What is done to each image.</param>
/// <param name="seed">The run's seed.</param>
internal sealed class DeviceImages(ResidentImages images, AugmentOptions augment, ulong seed)
{
    private int[] _indices = [];

    /// <summary>Whether batches like these are made there: not on the CPU, whose background thread makes them, and neither from floats nor as mixtures or second views.</summary>
    public static bool Suits(Device device, LabeledImages set, in BatchOptions options) =>
        device is not CpuDevice && !set.HasFloats && !options.TwoViews && options.CutMix == 0;

    /// <summary>Makes a stretch of a batch's images.</summary>
    public void Load(ImageBatch batch, int first, int count, Tensor x)
    {
        if (_indices.Length < count) _indices = new int[count];
        for (int i = 0; i < count; i++) _indices[i] = (int)batch.Samples[first + i];
        images.Load(_indices.AsSpan(0, count), augment, seed, batch.Epoch, x);
    }
}
