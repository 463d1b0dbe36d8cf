namespace Rpat.Engine.Devices;

/// <summary>Augmentation of images stored on the device as bytes, with the random numbers of <see cref="Augmentation"/>.</summary>
public interface ICropFlipKernels
{
    /// <summary>images[i] = crop, flip and Cutout of pixels[indices[i]], as value / 255.</summary>
    /// <param name="how">Size of an image, the options, and the random key without the sample.</param>
    /// <param name="pixels">All images, <c>[images, C, H, W]</c>, four bytes per word, the first in the lowest bits.</param>
    /// <param name="indices">Image numbers, which are also the samples of the key; all must exist.</param>
    /// <param name="images">Result <c>[indices, C, H, W]</c>, plain.</param>
    void CropFlip(in CropFlipOf how, DeviceBuffer pixels, ReadOnlySpan<int> indices, DeviceBuffer images);
}

/// <summary>The image's size, with N = 1, the options, and the random key without the sample.</summary>
public readonly record struct CropFlipOf(Shape Image, AugmentOptions Options, RandomKey Key);
