namespace Rpat.Models;

/// <summary>
/// Everything needed to build a network again. Zeros stand for the published net's sizes, which <see cref="ModelCatalog.Build"/> fills in;
/// a network that is made by its constructor needs them all.
/// </summary>
/// <param name="Name">One of the names of <see cref="ModelCatalog"/>.</param>
/// <param name="Input">Channels, height and width of an image; N is ignored.</param>
public sealed record ModelSpec(string Name, Shape Input, int Classes)
{
    /// <summary>Channels of the first stage, or the widening factor of a wide ResNet; 0 for the published net's.</summary>
    public int Width { get; init; }

    /// <summary>Residual blocks per stage; 0 for the published net's.</summary>
    public int Blocks { get; init; }

    /// <summary>Attention heads; 0 for the published net's.</summary>
    public int Heads { get; init; }

    /// <summary>
    /// Channels of the stem, and blocks and channels of each stage, such as <c>16,5x320,5x640,5x512</c>, when <see cref="Width"/> and
    /// <see cref="Blocks"/> cannot say them; mostly empty.
    /// </summary>
    public string Stages { get; init; } = "";

    /// <summary>Whether a text is one of <see cref="Stages"/>.</summary>
    public static bool AreStages(string text) => text.Length == 0 || NetSizes.TryParse(text) is not null;

    /// <summary>Stride of the first convolution; 0 for the model's own rule, which is mostly 1.</summary>
    public int StemStride { get; init; }

    /// <summary>Mean and deviation of each channel, or null for inputs in [0,1] without normalisation.</summary>
    public (IReadOnlyList<float> Mean, IReadOnlyList<float> Std)? Normalization { get; init; }

    /// <summary>Whether the network first standardises each image by its own mean and deviation, instead.</summary>
    public bool StandardizesImages { get; init; }
}
