namespace Rpat.Engine.Devices;

/// <summary>Augmentation of images that lie on the device as bytes, by the numbers of <see cref="Augmentation"/>.</summary>
public interface ICropFlipKernels
{
    /// <summary>images[i] = crop, flip and Cutout of pixels[indices[i]], as value / 255.</summary>
    /// <param name="how">Size of an image, what is done to it, and the random key without the sample.</param>
    /// <param name="pixels">All images, <c>[images, C, H, W]</c>, four bytes per word, the first in the lowest bits.</param>
    /// <param name="indices">Image numbers, which are the samples of the key; those of images that are there.</param>
    /// <param name="images">Result <c>[indices, C, H, W]</c>, plain.</param>
    void CropFlip(in CropFlipOf how, DeviceBuffer pixels, ReadOnlySpan<int> indices, DeviceBuffer images);
}

/// <summary>What is done to each image: its size, N being 1, the options, and the random key without the sample.</summary>
public readonly record struct CropFlipOf(Shape Image, AugmentOptions Options, RandomKey Key);
