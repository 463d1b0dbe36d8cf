namespace Rpat.Robust.Attacks;

/// <summary>Refuses images and labels for which no attack can give a meaningful result.</summary>
internal static class InputCheck
{
    /// <exception cref="ArgumentException">Sizes do not match, a value is not a pixel, or a label is not a class.</exception>
    public static void Require(ReadOnlySpan<float> images, ReadOnlySpan<int> labels, Shape image, int classes)
    {
        if (images.Length != (long)labels.Length * image.SampleCount)
            throw new ArgumentException(
                $"{images.Length} values are not {labels.Length} images of {image.C}x{image.H}x{image.W}: give one label an image, and "
                    + $"images of the network's size.");
        if (classes < 2) throw new ArgumentException("A network with a single class cannot be attacked: it has no other class to give.");
        for (int i = 0; i < images.Length; i++)
            if (!PixelRange.Holds(images[i])) throw NoPixel(images[i], i / image.SampleCount);
        for (int i = 0; i < labels.Length; i++)
            if ((uint)labels[i] >= (uint)classes)
                throw new ArgumentException(
                    $"Label {labels[i]} of image {i} is not a class of 0 to {classes - 1}: check that data and network belong together.");
    }

    private static ArgumentException NoPixel(float value, int image) => new(FormattableString.Invariant(
        $"Image {image} holds {value} where pixels from 0 to 1 are expected: {PixelRange.Advice(value)}."));
}
