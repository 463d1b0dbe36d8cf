using System.Numerics;

namespace Rpat.Nn;

/// <summary>The range of a pixel: images are in [0,1] everywhere; normalisation by mean and deviation is a layer of the network.</summary>
public static class PixelRange
{
    private const float Slack = 1e-6f; // a round trip through decimal text may leave −3e-8

    /// <summary>Whether a value is a pixel in [0,1], up to rounding; NaN is not.</summary>
    public static bool Holds(float value) => value is >= -Slack and <= 1 + Slack;

    /// <summary>Throws unless every value of images <c>[N, C, H, W]</c> is a pixel.</summary>
    /// <exception cref="ArgumentException">One is not; the message says which, and what to do.</exception>
    public static void Require(ReadOnlySpan<float> images, Shape image)
    {
        if (FirstOutside(images) is >= 0 and var i) throw new ArgumentException(FormattableString.Invariant(
            $"Image {i / image.SampleCount} holds {images[i]} where pixels from 0 to 1 are expected: {Advice(images[i])}."));
    }

    /// <summary>Where the first value is that is no pixel; −1 if all are.</summary>
    public static int FirstOutside(ReadOnlySpan<float> images)
    {
        int i = 0;
        Vector<float> low = new(-Slack), high = new(1 + Slack);
        for (Vector<float> v; i <= images.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            v = new(images[i..]);
            if (!Vector.GreaterThanOrEqualAll(v, low) || !Vector.LessThanOrEqualAll(v, high)) break;
        }
        for (; i < images.Length; i++)
            if (!Holds(images[i])) return i;
        return -1;
    }

    /// <summary>Pixels of 8 bits.</summary>
    /// <param name="farthest">By how much a value was rounded at most.</param>
    public static byte[] ToBytes(float[] images, out float farthest)
    {
        ArgumentNullException.ThrowIfNull(images);
        byte[] bytes = Array.ConvertAll(images, value => (byte)MathF.Round(Math.Clamp(value, 0, 1) * 255));
        farthest = 0;
        for (int i = 0; i < bytes.Length; i++) farthest = Math.Max(farthest, Math.Abs(bytes[i] / 255f - images[i]));
        return bytes;
    }

    /// <summary>What to do about a value that is not: the end of a sentence.</summary>
    public static string Advice(float value) =>
        !float.IsFinite(value) ? "check how it was made"
        : value is < -10 or > 10 ? "divide pixels by 255"
        : "undo the normalisation by mean and deviation, which is the network's first layer, or scale to 0 to 1";
}
