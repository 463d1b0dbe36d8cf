namespace Rpat.Formats.Data;

/// <summary>
/// A labelled image set in memory, as 8-bit pixels in NCHW order without padding. Images that were given as floats are kept in
/// addition to the rounded pixels: batches are copied from the floats, augmentation works on the pixels.
/// </summary>
public sealed class LabeledImages
{
    /// <summary>Above this difference a float is not a multiple of 1/255 after float arithmetic.</summary>
    public const float ExactWithin = 1e-6f;

    private readonly float[]? _exact;

    /// <summary>Makes a set; the arrays are kept, not copied.</summary>
    /// <param name="name">The set's name in errors and reports.</param>
    /// <param name="pixels">[N, channels, height, width], row-major.</param>
    /// <param name="labels">[N], each from 0 to the number of classes - 1.</param>
    /// <param name="classNames">One name per class, in label order; the numbers of all labels when null.</param>
    /// <param name="exact">The images as floats in [0, 1], in the order of
    /// <paramref name="pixels"/>; null when value / 255 is exact.</param>
    /// <exception cref="DataException">A size is not positive, the lengths do not match, a label is out of range, or a float is no
    /// pixel.</exception>
    public LabeledImages(
        string name, int channels, int height, int width, byte[] pixels, int[] labels, IReadOnlyList<string>? classNames,
        float[]? exact = null)
    {
        classNames ??= [.. Enumerable.Range(0, labels.Append(-1).Max() + 1).Select(label => label.ToString(CultureInfo.InvariantCulture))];
        (Name, Channels, Height, Width) = (name, channels, height, width);
        (Pixels, Labels, ClassNames, _exact) = (pixels, labels, classNames, exact);
        if (channels <= 0 || height <= 0 || width <= 0 || (long)channels * height * width > int.MaxValue)
            throw new DataException($"data set '{name}' has images of the impossible size {channels}x{height}x{width}: check the file.");
        if ((long)labels.Length * ImageSize != pixels.Length || (exact is not null && exact.Length != pixels.Length))
            throw new DataException(
                $"data set '{name}' has {pixels.Length} pixels for {labels.Length} labels of {channels}x{height}x{width} images:"
                + " give one label per image.");
        int wrong = Array.FindIndex(labels, label => (uint)label >= (uint)classNames.Count);
        if (wrong >= 0)
            throw new DataException(
                $"data set '{name}' has label {labels[wrong]} at image {wrong} where 0 to {classNames.Count - 1} are expected:"
                + " check the labels.");
        if (exact is not null && PixelRange.FirstOutside(exact) is >= 0 and var at)
            throw new DataException(FormattableString.Invariant(
                $"data set '{name}' holds {exact[at]} in image {at / ImageSize}, not 0 to 1: {PixelRange.Advice(exact[at])}."));
    }

    /// <summary>Makes a set of float images in [0,1].</summary>
    /// <param name="name">The set's name in errors and reports.</param>
    /// <param name="images">[N, channels, height, width], row-major; kept, not copied.</param>
    /// <param name="labels">[N], classes counted from 0.</param>
    /// <param name="classNames">One name per class, in label order; the numbers of all labels when null.</param>
    /// <exception cref="DataException">A size is not positive, the lengths do not match, a label is out of range, or a float is no
    /// pixel.</exception>
    public static LabeledImages FromFloats(
        string name, int channels, int height, int width, float[] images, int[] labels, IReadOnlyList<string>? classNames = null)
    {
        ArgumentNullException.ThrowIfNull(labels);
        byte[] pixels = PixelRange.ToBytes(images, out float change);
        return new(name, channels, height, width, pixels, labels, classNames, change <= ExactWithin ? null : images);
    }

    /// <summary>The set's name in errors and reports.</summary>
    public string Name { get; }

    /// <summary>Planes per image.</summary>
    public int Channels { get; }

    /// <summary>Rows per plane.</summary>
    public int Height { get; }

    /// <summary>Pixels per row.</summary>
    public int Width { get; }

    /// <summary>The number of images.</summary>
    public int Count => Labels.Length;

    /// <summary>Values per image: channels × height × width.</summary>
    public int ImageSize => Channels * Height * Width;

    /// <summary>All pixels, [N, channels, height, width], row-major, 0 to 255.</summary>
    public byte[] Pixels { get; }

    /// <summary>Whether the images were given as floats, of which the pixels are rounded copies.</summary>
    public bool HasFloats => _exact is not null;

    /// <summary>The class of each image, [N].</summary>
    public int[] Labels { get; }

    /// <summary>One name per class, in label order.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>Its name and sizes.</summary>
    public override string ToString() =>
        FormattableString.Invariant($"{Name}: {Count} images {Channels}x{Height}x{Width} of {ClassNames.Count} classes");

    /// <summary>The 8-bit pixels of one image, [channels, height, width].</summary>
    /// <param name="index">The image, from 0 to <see cref="Count"/> - 1.</param>
    public ReadOnlySpan<byte> Image(int index)
    {
        if ((uint)index >= (uint)Count) throw OutOfRange(index);
        return Pixels.AsSpan(index * ImageSize, ImageSize);
    }

    /// <summary>The same images with other labels.</summary>
    /// <exception cref="DataException">There are too few or too many labels, or one is out of range.</exception>
    public LabeledImages Labelled(int[] labels) => new(Name, Channels, Height, Width, Pixels, labels, ClassNames, _exact);

    /// <summary>The first <paramref name="n"/> images; the whole set when it has fewer.</summary>
    /// <param name="n">How many, at least 0.</param>
    public LabeledImages Take(int n)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(n);
        if (n >= Count) return this;
        return new(Name, Channels, Height, Width, Pixels[..(n * ImageSize)], Labels[..n], ClassNames, _exact?[..(n * ImageSize)]);
    }

    /// <summary>The images at the given indices, in that order; an index may occur more than once.</summary>
    /// <param name="indices">Image numbers, each from 0 to <see cref="Count"/> - 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">An index is outside the set.</exception>
    public LabeledImages Subset(ReadOnlySpan<int> indices)
    {
        byte[] pixels = new byte[checked(indices.Length * ImageSize)];
        float[]? exact = _exact is null ? null : new float[pixels.Length];
        var labels = new int[indices.Length];
        for (int i = 0; i < indices.Length; i++)
        {
            Image(indices[i]).CopyTo(pixels.AsSpan(i * ImageSize));
            _exact?.AsSpan(indices[i] * ImageSize, ImageSize).CopyTo(exact.AsSpan(i * ImageSize));
            labels[i] = Labels[indices[i]];
        }

        return new(Name, Channels, Height, Width, pixels, labels, ClassNames, exact);
    }

    /// <summary>The indices of the first images of every class, in the order of the set.</summary>
    /// <param name="perClass">How many per class.</param>
    /// <exception cref="DataException">A class has fewer.</exception>
    public int[] FirstOfEachClass(int perClass)
    {
        var taken = new int[ClassNames.Count];
        int[] indices = [.. Enumerable.Range(0, Count).Where(i => taken[Labels[i]]++ < perClass)];
        int poor = Array.FindIndex(taken, count => count < perClass);
        if (poor < 0) return indices;
        throw new DataException(
            $"data set '{Name}' has {taken[poor]} images of class '{ClassNames[poor]}' where {perClass} are asked for: ask for fewer.");
    }

    /// <summary>
    /// Copies a batch as floats in [0, 1]: value / 255 in float32, or the floats that the set was made from. Nothing is
    /// normalised: that is the model's first layer.
    /// </summary>
    /// <param name="indices">Image numbers, each from 0 to <see cref="Count"/> - 1.</param>
    /// <param name="destination">[indices, channels, height, width], plain NCHW; exactly that many values.</param>
    /// <exception cref="ArgumentOutOfRangeException">An index is outside the set.</exception>
    /// <exception cref="ArgumentException">The destination has another length.</exception>
    public void CopyFloats(ReadOnlySpan<int> indices, Span<float> destination)
    {
        CheckBatch(indices.Length, destination.Length);
        for (int i = 0; i < indices.Length; i++) CopyFloats(indices[i], destination.Slice(i * ImageSize, ImageSize));
    }

    private void CopyFloats(int index, Span<float> destination)
    {
        ReadOnlySpan<byte> pixels = Image(index);
        if (_exact is null) Augmentation.ToUnit(pixels, destination);
        else _exact.AsSpan(index * ImageSize, ImageSize).CopyTo(destination);
    }

    internal void CheckBatch(int count, int length)
    {
        if ((long)count * ImageSize != length)
            throw new ArgumentException(
                $"A batch of {count} images of '{Name}' has {(long)count * ImageSize} values, the destination {length}.", nameof(length));
    }

    private ArgumentOutOfRangeException OutOfRange(int index) =>
        new(nameof(index), index, $"Data set '{Name}' has images 0 to {Count - 1}.");
}
