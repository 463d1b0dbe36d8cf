namespace Rpat.Formats.Data;

/// <summary>A policy with what it needs for images of one size; for one thread at a time.</summary>
internal sealed class PolicyRun(ImagePolicy policy, LabeledImages size)
{
    private readonly PixelEditor _editor = new(size.Channels, size.Height, size.Width);
    private readonly byte[] _pixels = new byte[size.ImageSize];

    /// <summary>Changes an image of 8-bit values divided by 255.</summary>
    public void Apply(Span<float> image, in PhiloxStream draws)
    {
        for (int i = 0; i < _pixels.Length; i++) _pixels[i] = (byte)(image[i] * 255 + 0.5f);
        policy.Apply(_editor, (size.Height, size.Width), _pixels, draws);
        Augmentation.ToUnit(_pixels, image);
    }
}
