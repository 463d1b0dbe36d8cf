using Rpat.Engine.IO;
using Rpat.Engine.Random;

namespace Rpat.Engine;

/// <summary>Augmentation of images that lie on the device as bytes, by the numbers of <see cref="CropFlip"/>.</summary>
public interface ICropFlipKernels
{
    /// <summary>images[i] = crop, flip and Cutout of pixels[indices[i]], as value / 255.</summary>
    /// <param name="how">Size of an image, what is done to it, and the random key without the sample.</param>
    /// <param name="pixels">All images, <c>[images, C, H, W]</c>, four bytes per word, the first in the lowest bits.</param>
    /// <param name="indices">Image numbers, which are the samples of the key; those of images that are there.</param>
    /// <param name="images">Result <c>[indices, C, H, W]</c>, plain.</param>
    void CropFlip(in CropFlipOf how, DeviceBuffer pixels, ReadOnlySpan<int> indices, DeviceBuffer images);
}

/// <summary>What is done to each image.</summary>
/// <param name="Image">Its size, N being 1.</param>
/// <param name="Options">Crop, border, flip, Cutout.</param>
/// <param name="Key">Random key without the sample.</param>
public readonly record struct CropFlipOf(Shape Image, AugmentOptions Options, RandomKey Key);

/// <summary>
/// A set of images that lies on a device as bytes (CIFAR-10: 150 MB), so that making a batch copies nothing but its indices. The
/// batches have the bits of <see cref="CropFlip.Apply"/>.
/// </summary>
public sealed class ResidentImages
{
    private readonly Device _device;
    private readonly DeviceBuffer _pixels;
    private readonly LabeledImages _set;

    /// <summary>Copies the pixels to a device, which frees them when it is disposed.</summary>
    /// <exception cref="ArgumentException">The images were made from floats, which bytes do not hold exactly.</exception>
    public ResidentImages(Device device, LabeledImages set)
    {
        if (set.HasFloats) throw new ArgumentException($"The images of '{set.Name}' are floats: make their batches on the host.", nameof(set));
        (_device, _set) = (device, set);
        _pixels = device.Allocate((set.Pixels.Length + 3L) / 4);
        Upload();
    }

    /// <summary>Copies augmented images into a batch.</summary>
    /// <param name="indices">Image numbers in the set.</param>
    /// <param name="options">What to do.</param>
    /// <param name="seed">The run's seed.</param>
    /// <param name="epoch">The epoch, which gives every pass over the data its own draws.</param>
    /// <param name="batch">Where they go, <c>[indices, C, H, W]</c>.</param>
    /// <exception cref="ShapeException">The batch has another size, or the pad is not below the image's.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An index is outside the set, or Cutout's side is negative.</exception>
    public void Load(ReadOnlySpan<int> indices, in AugmentOptions options, ulong seed, int epoch, Tensor batch)
    {
        var image = new Shape(1, _set.Channels, _set.Height, _set.Width);
        if (batch.Shape != image.WithBatch(indices.Length)) throw new ShapeException("CropFlip", $"{batch} is not {indices.Length} images of {image}");
        if (options.Pad < 0 || options.Pad >= Math.Min(image.H, image.W)) throw new ShapeException("CropFlip", $"a pad of {options.Pad} does not fit {image}");
        ArgumentOutOfRangeException.ThrowIfNegative(options.Cutout, nameof(options));
        foreach (int index in indices) _ = _set.Image(index);
        var key = new RandomKey(seed, Purpose.Augment, epoch, 0, options.View, 0);
        _device.Kernels.CropFlip(new CropFlipOf(image, options, key), _pixels, indices, batch.Data);
    }

    // In stretches, since what an upload needs on the host is as large as itself.
    private void Upload()
    {
        const int stretch = 1 << 20;
        var words = new int[Math.Min(stretch, _pixels.Length)];
        for (long first = 0; first < _pixels.Length; first += words.Length)
        {
            int count = (int)Math.Min(words.Length, _pixels.Length - first);
            var bytes = _set.Pixels.AsSpan((int)(4 * first));
            bytes = bytes[..Math.Min(bytes.Length, 4 * count)];
            bytes.CopyTo(System.Runtime.InteropServices.MemoryMarshal.AsBytes(words.AsSpan()));
            _device.Upload(words.AsSpan(0, count), _pixels.View(first, count));
        }
    }
}
