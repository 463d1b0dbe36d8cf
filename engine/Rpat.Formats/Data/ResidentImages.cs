namespace Rpat.Formats.Data;

/// <summary>
/// A set of images kept on a device as bytes (CIFAR-10: 150 MB), so that making a batch copies only its indices. The batches are
/// bit-identical to those of <see cref="CropFlip.Apply"/>.
/// </summary>
public sealed class ResidentImages
{
    private readonly Device _device;
    private readonly DeviceBuffer _pixels;
    private readonly LabeledImages _set;

    /// <summary>Copies the pixels to a device, which frees them when it is disposed.</summary>
    /// <exception cref="ArgumentException">The images were made from floats, which bytes cannot represent exactly.</exception>
    public ResidentImages(Device device, LabeledImages set)
    {
        if (set.HasFloats)
            throw new ArgumentException($"The images of '{set.Name}' are floats: make their batches on the host.", nameof(set));
        (_device, _set) = (device, set);
        _pixels = device.Allocate((set.Pixels.Length + 3L) / 4);
        Upload();
    }

    /// <summary>Copies augmented images into a batch.</summary>
    /// <param name="indices">Image numbers in the set.</param>
    /// <param name="epoch">The epoch; each one has different random draws.</param>
    /// <param name="batch">Where they go, <c>[indices, C, H, W]</c>.</param>
    /// <exception cref="ShapeException">The batch has another size, or the pad is not below the image's.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An index is outside the set, or Cutout's side is negative.</exception>
    public void Load(ReadOnlySpan<int> indices, in AugmentOptions options, ulong seed, int epoch, Tensor batch)
    {
        var image = new Shape(1, _set.Channels, _set.Height, _set.Width);
        if (batch.Shape != image.WithBatch(indices.Length))
            throw new ShapeException("CropFlip", $"{batch} is not {indices.Length} images of {image}");
        if (options.Pad < 0 || options.Pad >= Math.Min(image.H, image.W))
            throw new ShapeException("CropFlip", $"a pad of {options.Pad} does not fit {image}");
        ArgumentOutOfRangeException.ThrowIfNegative(options.Cutout, nameof(options));
        foreach (int index in indices) _ = _set.Image(index);
        var key = new RandomKey(seed, Purpose.Augment, epoch, 0, options.View, 0);
        _device.Kernels.CropFlip(new CropFlipOf(image, options, key), _pixels, indices, batch.Data);
    }

    // In parts, since an upload needs as much memory on the host as it copies.
    private void Upload()
    {
        const int stretch = 1 << 20;
        var words = new int[Math.Min(stretch, _pixels.Length)];
        for (long first = 0; first < _pixels.Length; first += words.Length)
        {
            int count = (int)Math.Min(words.Length, _pixels.Length - first);
            var bytes = _set.Pixels.AsSpan((int)(4 * first));
            bytes = bytes[..Math.Min(bytes.Length, 4 * count)];
            bytes.CopyTo(MemoryMarshal.AsBytes(words.AsSpan()));
            _device.Upload(words.AsSpan(0, count), _pixels.View(first, count));
        }
    }
}
