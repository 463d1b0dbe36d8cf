namespace Rpat.Models;

/// <summary>Options common to all families.</summary>
public abstract record ModelOptions
{
    /// <summary>Channels, height and width of an image; N is ignored.</summary>
    public Shape Input { get; init; } = new(1, 3, 32, 32);

    /// <summary>Number of logits.</summary>
    public int Classes { get; init; } = 10;

    /// <summary>Stride of the first convolution; 2 halves the maps of large images from the start.</summary>
    public int StemStride { get; init; } = 1;

    /// <summary>Mean and deviation of each channel, or null for inputs in [0,1] without normalisation.</summary>
    public (IReadOnlyList<float> Mean, IReadOnlyList<float> Std)? Normalization { get; init; }
}
