namespace Rpat.Formats.Data;

/// <summary>
/// Augments float batches. The result for an image depends only on the seed, the epoch, the view and the image's index, never on
/// the other images of the batch or on the order of calls.
/// </summary>
public static class CropFlip
{
    /// <summary>Copies augmented images as floats in [0, 1]: crop first, then flip, then Cutout.</summary>
    /// <param name="indices">Image numbers in <paramref name="set"/>.</param>
    /// <param name="epoch">The epoch; each one has different random draws.</param>
    /// <param name="destination">[indices, channels, height, width], plain NCHW; exactly that many values.</param>
    /// <exception cref="ArgumentException">
    /// The destination has another length; an index, the epoch or the view is out of range; or the pad is not below the image's size.
    /// </exception>
    public static void Apply(
        LabeledImages set, ReadOnlySpan<int> indices, in AugmentOptions options, ulong seed, int epoch, Span<float> destination) =>
        Augment(set, indices, options, null, seed, epoch, destination);

    internal static void Augment(LabeledImages set, ReadOnlySpan<int> indices, in AugmentOptions options, PolicyRun? policy, ulong seed,
        int epoch, Span<float> destination)
    {
        if (options.Pad < 0 || options.Pad >= Math.Min(set.Height, set.Width))
            throw new ArgumentOutOfRangeException(
                nameof(options), options.Pad, $"The pad must be from 0 to below the size of the images of '{set.Name}'.");
        ArgumentOutOfRangeException.ThrowIfNegative(options.Cutout, nameof(options));
        set.CheckBatch(indices.Length, destination.Length);
        if (set.HasFloats && options is { Pad: 0, Flip: false, Cutout: 0 } && policy is null) // nothing that needs pixels
        {
            set.CopyFloats(indices, destination);
            return;
        }
        for (int i = 0; i < indices.Length; i++)
            AugmentOne(set, set.Image(indices[i]), indices[i], options, policy, seed, epoch,
                destination.Slice(i * set.ImageSize, set.ImageSize));
    }

    /// <summary>The same for the pixels of one image that may be of another set of that size.</summary>
    internal static void AugmentOne(LabeledImages size, ReadOnlySpan<byte> pixels, long sample, in AugmentOptions options,
        PolicyRun? policy, ulong seed, int epoch, Span<float> image)
    {
        PhiloxStream draws = new RandomKey(seed, Purpose.Augment, epoch, sample, options.View, 0).Stream();
        var (height, width) = (size.Height, size.Width);
        Augmentation.Apply((height, width), pixels, policy is null ? options : options with { Cutout = 0 }, draws, image);
        if (policy is null) return;
        policy.Apply(image, draws);
        Cutout.Apply(image, height, width, options.Cutout, draws, Augmentation.CutoutDraw);
    }
}
