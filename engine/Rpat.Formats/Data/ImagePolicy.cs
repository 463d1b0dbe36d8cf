using System.Text.Json.Serialization;

namespace Rpat.Formats.Data;

/// <summary>Where the operations of an <see cref="ImagePolicy"/> come from.</summary>
public enum PolicyKind
{
    /// <summary>No operation.</summary>
    None,

    /// <summary>One of 25 pairs that were found for CIFAR-10. Cubuk et al., "AutoAugment", CVPR 2019.</summary>
    [JsonStringEnumMemberName("autoaugment")]
    AutoAugment,

    /// <summary>Operations drawn evenly from 14, all of one magnitude. Cubuk et al., "RandAugment", NeurIPS 2020.</summary>
    [JsonStringEnumMemberName("randaugment")]
    RandAugment,
}

/// <summary>
/// Random operations on each image after its crop and flip, as in torchvision. They depend on the image's random numbers alone, never on
/// the rest of the batch.
/// </summary>
/// <param name="Ops">Operations per image of RandAugment.</param>
/// <param name="Magnitude">Magnitude of RandAugment, from 0 to 30.</param>
public sealed record ImagePolicy(PolicyKind Kind, int Ops = 2, int Magnitude = 9)
{
    /// <summary>The largest magnitude of RandAugment.</summary>
    public const int MaxMagnitude = 30;

    private const int FirstDraw = 8; // after those of crop, flip and Cutout
    private const int Bins = 10;

    private static readonly PixelOp[] _drawn = [.. Enum.GetValues<PixelOp>().Where(op => op != PixelOp.Invert)];

    // Operation, probability and bin of its magnitude; twice per line.
    private static readonly ((PixelOp Op, float Chance, int Bin) First, (PixelOp Op, float Chance, int Bin) Second)[] _cifar10 =
    [
        ((PixelOp.Invert, 0.1f, 0), (PixelOp.Contrast, 0.2f, 6)),
        ((PixelOp.Rotate, 0.7f, 2), (PixelOp.TranslateX, 0.3f, 9)),
        ((PixelOp.Sharpness, 0.8f, 1), (PixelOp.Sharpness, 0.9f, 3)),
        ((PixelOp.ShearY, 0.5f, 8), (PixelOp.TranslateY, 0.7f, 9)),
        ((PixelOp.AutoContrast, 0.5f, 0), (PixelOp.Equalize, 0.9f, 0)),
        ((PixelOp.ShearY, 0.2f, 7), (PixelOp.Posterize, 0.3f, 7)),
        ((PixelOp.Color, 0.4f, 3), (PixelOp.Brightness, 0.6f, 7)),
        ((PixelOp.Sharpness, 0.3f, 9), (PixelOp.Brightness, 0.7f, 9)),
        ((PixelOp.Equalize, 0.6f, 0), (PixelOp.Equalize, 0.5f, 0)),
        ((PixelOp.Contrast, 0.6f, 7), (PixelOp.Sharpness, 0.6f, 5)),
        ((PixelOp.Color, 0.7f, 7), (PixelOp.TranslateX, 0.5f, 8)),
        ((PixelOp.Equalize, 0.3f, 0), (PixelOp.AutoContrast, 0.4f, 0)),
        ((PixelOp.TranslateY, 0.4f, 3), (PixelOp.Sharpness, 0.2f, 6)),
        ((PixelOp.Brightness, 0.9f, 6), (PixelOp.Color, 0.2f, 8)),
        ((PixelOp.Solarize, 0.5f, 2), (PixelOp.Invert, 0, 0)),
        ((PixelOp.Equalize, 0.2f, 0), (PixelOp.AutoContrast, 0.6f, 0)),
        ((PixelOp.Equalize, 0.2f, 0), (PixelOp.Equalize, 0.6f, 0)),
        ((PixelOp.Color, 0.9f, 9), (PixelOp.Equalize, 0.6f, 0)),
        ((PixelOp.AutoContrast, 0.8f, 0), (PixelOp.Solarize, 0.2f, 8)),
        ((PixelOp.Brightness, 0.1f, 3), (PixelOp.Color, 0.7f, 0)),
        ((PixelOp.Solarize, 0.4f, 5), (PixelOp.AutoContrast, 0.9f, 0)),
        ((PixelOp.TranslateY, 0.9f, 9), (PixelOp.TranslateY, 0.7f, 9)),
        ((PixelOp.AutoContrast, 0.9f, 0), (PixelOp.Solarize, 0.8f, 3)),
        ((PixelOp.Equalize, 0.8f, 0), (PixelOp.Invert, 0.1f, 0)),
        ((PixelOp.TranslateY, 0.7f, 9), (PixelOp.AutoContrast, 0.9f, 0)),
    ];

    /// <summary>Changes an image in place.</summary>
    /// <param name="size">Rows and columns.</param>
    /// <param name="image">The pixels, <c>[C, H, W]</c>.</param>
    public void Apply(PixelEditor editor, (int Height, int Width) size, Span<byte> image, in PhiloxStream draws)
    {
        if (Kind == PolicyKind.AutoAugment) ApplyPair(editor, size, image, draws);
        for (int i = 0; Kind == PolicyKind.RandAugment && i < Ops; i++)
        {
            PixelOp op = _drawn[draws.Below(FirstDraw + 2 * i, _drawn.Length)];
            editor.Apply(op, Signed(op, Of(op, Magnitude, MaxMagnitude, size), draws.Below(FirstDraw + 2 * i + 1, 2)), image);
        }
    }

    private static void ApplyPair(PixelEditor editor, (int, int) size, Span<byte> image, in PhiloxStream draws)
    {
        var (first, second) = _cifar10[draws.Below(FirstDraw, _cifar10.Length)];
        for (int i = 0; i < 2; i++)
        {
            var (op, chance, bin) = i == 0 ? first : second;
            if (draws.Uniform(FirstDraw + 1 + i) > chance) continue;
            editor.Apply(op, Signed(op, Of(op, bin, Bins - 1, size), draws.Below(FirstDraw + 3 + i, 2)), image);
        }
    }

    private static double Signed(PixelOp op, double magnitude, int sign) =>
        sign == 1 && op is >= PixelOp.ShearX and <= PixelOp.Sharpness ? -magnitude : magnitude;

    // A bin of an evenly divided range, in single precision.
    private static double Of(PixelOp op, int bin, int last, (int Height, int Width) size) => op switch
    {
        PixelOp.ShearX or PixelOp.ShearY => Between(0, 0.3f, bin, last),
        PixelOp.TranslateX => Between(0, (float)(150.0 / 331 * size.Width), bin, last),
        PixelOp.TranslateY => Between(0, (float)(150.0 / 331 * size.Height), bin, last),
        PixelOp.Rotate => Between(0, 30, bin, last),
        PixelOp.Posterize => 8 - Math.Round(bin / (last / 4.0)),
        PixelOp.Solarize => Between(255, 0, bin, last),
        _ => Between(0, 0.9f, bin, last),
    };

    private static float Between(float first, float end, int bin, int last)
    {
        float step = (end - first) / last;
        return bin < (last + 1) / 2 ? first + step * bin : end - step * (last - bin);
    }
}
