using Rpat.Engine.Kernels.Cpu;

namespace Rpat.Training;

/// <summary>
/// Converts a loaded batch to the form that a training step takes: two views one after the other, a share for each mixed image.
/// </summary>
internal sealed class BatchLoader
{
    private readonly TrainingStep _step;
    private readonly DeviceImages? _device;
    private readonly Action<Tensor>? _place;
    private float[] _views = [];
    private float[] _shares = [];
    private ImageBatch? _batch;

    /// <summary>Prepares the input of a step.</summary>
    /// <param name="device">Makes the images on the device; null to upload them.</param>
    public BatchLoader(TrainingStep step, DeviceImages? device = null)
    {
        (_step, _device) = (step, device);
        if (device is not null) _place = Place;
    }

    /// <summary>Runs the step on a batch.</summary>
    public void Run(ImageBatch batch, in StepContext moment)
    {
        bool mixed = batch.Share < 1;
        _batch = batch;
        _step.Run(new TrainingBatch
        {
            Images = _place is not null ? default : _step.TwoViews ? BothViews(batch) : batch.Images,
            Upload = _place,
            Labels = batch.Labels,
            Samples = batch.Samples,
            OtherLabels = mixed ? batch.PartnerLabels : default,
            MixWeights = mixed ? Shares(batch) : default,
        }, moment);
    }

    private void Place(Tensor x)
    {
        var (first, count) = _step.PartOf(_batch!.Count);
        _device!.Load(_batch, first, count, x);
    }

    private ReadOnlySpan<float> BothViews(ImageBatch batch)
    {
        int one = batch.Images.Length;
        if (_views.Length < 2 * one) _views = new float[2 * one];
        batch.Images.CopyTo(_views);
        batch.SecondView.CopyTo(_views.AsSpan(one));
        return _views.AsSpan(0, 2 * one);
    }

    private ReadOnlySpan<float> Shares(ImageBatch batch)
    {
        if (_shares.Length < batch.Count) _shares = new float[batch.Count];
        Array.Fill(_shares, batch.Share);
        return _shares.AsSpan(0, batch.Count);
    }
}

/// <summary>The training set on the device: a batch is augmented there, with the bits that the host would
/// have made, and only its indices are copied.</summary>
internal sealed class DeviceImages(ResidentImages images, AugmentOptions augment, ulong seed)
{
    private int[] _indices = [];

    /// <summary>
    /// Whether such batches are made on the device: not on the CPU, whose background thread makes them, and not for float images, mixtures,
    /// second views or policies.
    /// </summary>
    public static bool Suits(Device device, LabeledImages set, in BatchOptions options) =>
        device is not CpuDevice && !set.HasFloats && options is { TwoViews: false, CutMix: 0, Mixup: 0, More: null }
        && options.Policy is null or { Kind: PolicyKind.None };

    /// <summary>Makes a range of a batch's images.</summary>
    public void Load(ImageBatch batch, int first, int count, Tensor x)
    {
        if (_indices.Length < count) _indices = new int[count];
        for (int i = 0; i < count; i++) _indices[i] = (int)batch.Samples[first + i];
        images.Load(_indices.AsSpan(0, count), augment, seed, batch.Epoch, x);
    }
}
