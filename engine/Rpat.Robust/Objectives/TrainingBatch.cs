namespace Rpat.Robust.Objectives;

/// <summary>
/// Input of a training step: images <c>[N, C, H, W]</c> in [0,1], or two views of each, <c>[2N, C, H, W]</c>, all first views before
/// all second ones.
/// </summary>
public readonly ref struct TrainingBatch
{
    /// <summary>Images in [0,1], NCHW; twice as many if the method uses two views.</summary>
    public required ReadOnlySpan<float> Images { get; init; }

    /// <summary>
    /// Makes the images in place on the device, instead of an upload of <see cref="Images"/>, which may then be empty; null to upload.
    /// </summary>
    public Action<Tensor>? Upload { get; init; }

    /// <summary>True class of each of the N images.</summary>
    public required ReadOnlySpan<int> Labels { get; init; }

    /// <summary>Index of each image in the training set, which keys random numbers and tables.</summary>
    public required ReadOnlySpan<long> Samples { get; init; }

    /// <summary>Class of the image that was mixed in (CutMix); empty if nothing is mixed.</summary>
    public ReadOnlySpan<int> OtherLabels { get; init; }

    /// <summary>Share of <see cref="Labels"/> in each mixed image, from 0 to 1; the rest belongs to <see cref="OtherLabels"/>.</summary>
    public ReadOnlySpan<float> MixWeights { get; init; }

    /// <summary>Whether images are mixed.</summary>
    public bool IsMixed => !OtherLabels.IsEmpty;
}
