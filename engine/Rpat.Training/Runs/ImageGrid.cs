namespace Rpat.Training.Runs;

/// <summary>Pictures made of many small images, each pixel enlarged to a square so that it can be seen.</summary>
internal static class ImageGrid
{
    private const int Gap = 2, Frame = 3, Side = 128;

    private static readonly Rgb _back = new(255, 255, 255), _right = new(0, 158, 115), _fooled = new(213, 94, 0);

    /// <summary>A contact sheet: images row by row.</summary>
    /// <param name="indices">Which, in reading order.</param>
    /// <param name="columns">Images per row.</param>
    public static Raster Sheet(LabeledImages set, IReadOnlyList<int> indices, int columns)
    {
        int scale = Scale(set.Height, set.Width) / 2 is var half && half > 0 ? half : 1, height = set.Height * scale + Gap,
            width = set.Width * scale + Gap;
        var sheet = new Raster(columns * width + Gap, (indices.Count + columns - 1) / columns * height + Gap, _back);
        var image = new float[set.ImageSize];
        for (int i = 0; i < indices.Count; i++)
        {
            set.CopyFloats([indices[i]], image);
            sheet.Draw(image, set.Height, set.Width, Gap + i % columns * width, Gap + i / columns * height, scale);
        }

        return sheet;
    }

    /// <summary>
    /// One column per image: clean, adversarial, and the difference, enlarged so that ±eps is black and white around grey. The frame of the
    /// adversarial image is green if it is still classified correctly, orange if not.
    /// </summary>
    /// <param name="clean">[n, C, H, W] in [0,1].</param>
    /// <param name="adversarial">[n, C, H, W] in [0,1].</param>
    /// <param name="title">What the file carries, in ASCII.</param>
    public static Raster Attacked(Shape shape, ReadOnlySpan<float> clean, ReadOnlySpan<float> adversarial, float reach,
        IReadOnlyList<bool> stillRight, string title)
    {
        int scale = Scale(shape.H, shape.W), size = shape.SampleCount, cell = 2 * Frame + Gap;
        int width = shape.W * scale + cell, height = shape.H * scale + cell;
        var grid = new Raster(stillRight.Count * width + Gap, 3 * height + Gap, _back) { Title = title };
        var difference = new float[size];
        for (int i = 0; i < stillRight.Count; i++)
        {
            ReadOnlySpan<float> from = clean.Slice(i * size, size), to = adversarial.Slice(i * size, size);
            for (int j = 0; j < size; j++) difference[j] = 0.5f + (to[j] - from[j]) / (2 * reach);
            Rgb frame = stillRight[i] ? _right : _fooled;
            grid.Fill(Gap + i * width, Gap + height, width - Gap, height - Gap, frame);
            grid.Draw(from, shape.H, shape.W, Gap + Frame + i * width, Gap + Frame, scale);
            grid.Draw(to, shape.H, shape.W, Gap + Frame + i * width, Gap + Frame + height, scale);
            grid.Draw(difference, shape.H, shape.W, Gap + Frame + i * width, Gap + Frame + 2 * height, scale);
        }

        return grid;
    }

    private static int Scale(int height, int width) => Math.Max(1, Side / Math.Max(height, width));
}
