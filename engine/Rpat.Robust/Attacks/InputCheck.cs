namespace Rpat.Robust.Attacks;

/// <summary>Refuses images, labels and radii for which an attack or a training step can give no meaningful result.</summary>
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
        RequirePixels(images, image);
        for (int i = 0; i < labels.Length; i++)
            if ((uint)labels[i] >= (uint)classes)
                throw new ArgumentException(
                    $"Label {labels[i]} of image {i} is not a class of 0 to {classes - 1}: check that data and network belong together.");
    }

    /// <exception cref="ArgumentException">A value is not a pixel.</exception>
    public static void RequirePixels(ReadOnlySpan<float> images, Shape image)
    {
        for (int i = 0; i < images.Length; i++)
            if (!PixelRange.Holds(images[i])) throw NoPixel(images[i], i / image.SampleCount);
    }

    /// <exception cref="ArgumentException">The radius is not one in pixel units of [0,1].</exception>
    public static void RequireRadius(string who, Norm norm, double eps, bool zero = false)
    {
        if (eps > 0 && (eps <= 1 || norm != Norm.Linf) || zero && eps == 0) return;
        throw new ArgumentException(FormattableString.Invariant(
            $"{who}eps {eps} must lie in {(zero ? '[' : '(')}0, 1]: pixels are in [0,1], so 8 of 255 levels are 8/255."));
    }

    private static ArgumentException NoPixel(float value, int image) => new(FormattableString.Invariant(
        $"Image {image} holds {value} where pixels from 0 to 1 are expected: {PixelRange.Advice(value)}."));
}
