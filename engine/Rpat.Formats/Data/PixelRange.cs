namespace Rpat.Formats.Data;

/// <summary>The range of a pixel: images are in [0,1] everywhere; normalisation by mean and deviation is a layer of the network.</summary>
public static class PixelRange
{
    private const float Slack = 1e-6f; // a round trip through decimal text may leave −3e-8

    /// <summary>Whether a value is a pixel in [0,1], up to rounding; NaN is not.</summary>
    public static bool Holds(float value) => value is >= -Slack and <= 1 + Slack;

    /// <summary>What to do about a value that is not: the end of a sentence.</summary>
    public static string Advice(float value) =>
        !float.IsFinite(value) ? "check how it was made"
        : value is < -10 or > 10 ? "divide pixels by 255"
        : "undo the normalisation by mean and deviation, which is the network's first layer, or scale to 0 to 1";
}
