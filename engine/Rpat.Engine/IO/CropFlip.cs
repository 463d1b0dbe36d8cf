using Rpat.Engine.Random;

namespace Rpat.Engine.IO;

/// <summary>
/// Augments float batches. What happens to an image depends on the seed, the epoch, the view and the image's index only, never on
/// the other images of the batch or on the order of calls.
/// </summary>
public static class CropFlip
{
    private const int RowDraw = 0;
    private const int ColumnDraw = 1;
    private const int FlipDraw = 2;
    private const int CutoutDraw = 4;

    /// <summary>Copies augmented images as floats in [0, 1]: crop first, then flip, then Cutout.</summary>
    /// <param name="set">The images.</param>
    /// <param name="indices">Image numbers in <paramref name="set"/>.</param>
    /// <param name="options">What to do.</param>
    /// <param name="seed">The run's seed.</param>
    /// <param name="epoch">The epoch, which gives every pass over the data its own draws.</param>
    /// <param name="destination">[indices, channels, height, width], plain NCHW; exactly that many values.</param>
    /// <exception cref="ArgumentException">
    /// The destination has another length, an index, the epoch or the view is out of range, or the pad is not below the image's size.
    /// </exception>
    public static void Apply(
        LabeledImages set, ReadOnlySpan<int> indices, in AugmentOptions options, ulong seed, int epoch, Span<float> destination)
    {
        if (options.Pad < 0 || options.Pad >= Math.Min(set.Height, set.Width))
            throw new ArgumentOutOfRangeException(
                nameof(options), options.Pad, $"The pad must be from 0 to below the size of the images of '{set.Name}'.");
        ArgumentOutOfRangeException.ThrowIfNegative(options.Cutout, nameof(options));
        set.CheckBatch(indices.Length, destination.Length);
        for (int i = 0; i < indices.Length; i++)
        {
            PhiloxStream draws = new RandomKey(seed, Purpose.Augment, epoch, indices[i], options.View, 0).Stream();
            Augment((set.Height, set.Width), set.Image(indices[i]), options, draws, destination.Slice(i * set.ImageSize, set.ImageSize));
        }
    }

    /// <summary>One image, [channels, height, width].</summary>
    internal static void Augment(
        (int Height, int Width) size, ReadOnlySpan<byte> source, in AugmentOptions options, in PhiloxStream draws, Span<float> image)
    {
        int down = draws.Below(RowDraw, 2 * options.Pad + 1) - options.Pad;
        int right = draws.Below(ColumnDraw, 2 * options.Pad + 1) - options.Pad;
        if (options.Border == CropBorder.Zero) Crop(size, source, down, right, image);
        else CropReflected(size, source, down, right, image);
        if (options.Flip && draws.Below(FlipDraw, 2) == 1) Mirror(image, size.Width);
        Cutout.Apply(image, size.Height, size.Width, options.Cutout, draws, CutoutDraw);
    }

    // Output pixel (y, x) is source pixel (y + down, x + right), or 0 where that lies in the padding.
    private static void Crop((int Height, int Width) size, ReadOnlySpan<byte> source, int down, int right, Span<float> destination)
    {
        int first = Math.Clamp(-right, 0, size.Width);
        int count = Math.Max(0, size.Width - Math.Abs(right));
        destination.Clear();
        for (int row = 0; row < destination.Length / size.Width; row++)
        {
            int y = row % size.Height + down;
            if (y < 0 || y >= size.Height || count == 0) continue;
            ReadOnlySpan<byte> pixels = source.Slice((row + down) * size.Width + first + right, count);
            LabeledImages.ToUnit(pixels, destination.Slice(row * size.Width + first, count));
        }
    }

    // The same, with what lies outside taken from its mirror image inside.
    private static void CropReflected((int Height, int Width) size, ReadOnlySpan<byte> source, int down, int right, Span<float> destination)
    {
        Span<byte> line = stackalloc byte[size.Width];
        for (int row = 0; row < destination.Length / size.Width; row++)
        {
            int y = row % size.Height, from = (row - y + Reflect(y + down, size.Height)) * size.Width;
            for (int x = 0; x < line.Length; x++) line[x] = source[from + Reflect(x + right, size.Width)];
            LabeledImages.ToUnit(line, destination.Slice(row * size.Width, size.Width));
        }
    }

    private static int Reflect(int place, int size) => place < 0 ? -place : place < size ? place : 2 * (size - 1) - place;

    private static void Mirror(Span<float> image, int width)
    {
        for (int row = 0; row < image.Length; row += width) image.Slice(row, width).Reverse();
    }
}
