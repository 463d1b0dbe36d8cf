namespace Rpat.Formats.Data;

/// <summary>What a pixel may be: images are [0,1] everywhere, and normalisation by mean and deviation is a layer of the network.</summary>
public static class PixelRange
{
    private const float Slack = 1e-6f; // a decimal detour may leave −3e-8

    /// <summary>Whether a value is a pixel in [0,1], rounding aside; NaN is none.</summary>
    public static bool Holds(float value) => value is >= -Slack and <= 1 + Slack;

    /// <summary>What to do about a value that is none: the end of a sentence.</summary>
    public static string Advice(float value) =>
        !float.IsFinite(value) ? "check how it was made"
        : value is < -10 or > 10 ? "divide pixels by 255"
        : "undo the normalisation by mean and deviation, which is the network's first layer, or scale to 0 to 1";
}
