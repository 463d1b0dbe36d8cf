namespace Rpat.Engine.Images;

/// <summary>What surrounds an image when a random window is cropped from it.</summary>
public enum CropBorder
{
    /// <summary>Zeros, as in RPAT's benchmarks.</summary>
    Zero,

    /// <summary>The image mirrored at its edge pixels, which are not repeated, as in AWP's and ReBAT's code.</summary>
    Reflect,
}

/// <summary>What happens to each training image: border, random crop back to the original size, random horizontal flip, Cutout.</summary>
/// <param name="Pad">Pixels added on every side before the crop; 0 for no crop.</param>
/// <param name="Flip">Mirrors left and right with probability 1/2.</param>
/// <param name="View">Numbers independent draws for the same image and epoch, for methods that train on two views of it.</param>
public readonly record struct AugmentOptions(int Pad, bool Flip, int View = 0)
{
    /// <summary>What the added pixels hold.</summary>
    public CropBorder Border { get; init; }

    /// <summary>Side in pixels of the square that <see cref="Images.Cutout"/> blackens; 0 for none.</summary>
    public int Cutout { get; init; }
}
