namespace Rpat.Engine.Images;

/// <summary>
/// Augments one image with the random numbers of its own key, so that the result does not depend on the rest of the batch.
/// </summary>
public static class Augmentation
{
    private const int RowDraw = 0;
    private const int ColumnDraw = 1;
    private const int FlipDraw = 2;

    /// <summary>The draw for the row of Cutout's centre; the next one is for its column.</summary>
    public const int CutoutDraw = 4;

    // value / 255 for every byte: the same rounding as a division per pixel, without the division.
    private static readonly float[] _unit = [.. Enumerable.Range(0, 256).Select(value => value / 255f)];

    /// <summary>Copies one augmented image as floats in [0, 1]: crop first, then flip, then Cutout.</summary>
    /// <param name="size">Rows and columns of a plane.</param>
    /// <param name="source">The pixels, [channels, height, width].</param>
    /// <param name="options">What to do; the padding must be smaller than the image.</param>
    /// <param name="image">Receives the result, as long as <paramref name="source"/>.</param>
    public static void Apply(
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
            ToUnit(pixels, destination.Slice(row * size.Width + first, count));
        }
    }

    // The same, with pixels outside the image mirrored from inside.
    private static void CropReflected((int Height, int Width) size, ReadOnlySpan<byte> source, int down, int right, Span<float> destination)
    {
        Span<byte> line = stackalloc byte[size.Width];
        for (int row = 0; row < destination.Length / size.Width; row++)
        {
            int y = row % size.Height, from = (row - y + Reflect(y + down, size.Height)) * size.Width;
            for (int x = 0; x < line.Length; x++) line[x] = source[from + Reflect(x + right, size.Width)];
            ToUnit(line, destination.Slice(row * size.Width, size.Width));
        }
    }

    private static int Reflect(int place, int size) => place < 0 ? -place : place < size ? place : 2 * (size - 1) - place;

    private static void Mirror(Span<float> image, int width)
    {
        for (int row = 0; row < image.Length; row += width) image.Slice(row, width).Reverse();
    }

    /// <summary>Copies pixels as value / 255 in float32.</summary>
    public static void ToUnit(ReadOnlySpan<byte> pixels, Span<float> destination)
    {
        ref float unit = ref MemoryMarshal.GetArrayDataReference(_unit);
        for (int i = 0; i < pixels.Length; i++) destination[i] = Unsafe.Add(ref unit, pixels[i]);
    }
}
