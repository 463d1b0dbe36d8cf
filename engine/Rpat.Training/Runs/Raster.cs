namespace Rpat.Training.Runs;

/// <summary>A colour of a picture.</summary>
internal readonly record struct Rgb(byte R, byte G, byte B);

/// <summary>A picture in memory, [height, width, RGB], on which rectangles and small images are drawn.</summary>
internal sealed class Raster
{
    private readonly byte[] _pixels;

    /// <summary>Makes a picture of one colour.</summary>
    public Raster(int width, int height, Rgb background)
    {
        (Width, Height) = (width, height);
        _pixels = new byte[checked(width * height * 3)];
        Fill(0, 0, width, height, background);
    }

    /// <summary>Pixels per row.</summary>
    public int Width { get; }

    /// <summary>Rows.</summary>
    public int Height { get; }

    /// <summary>The bytes, [height, width, RGB].</summary>
    public ReadOnlySpan<byte> Pixels => _pixels;

    /// <summary>Paints a rectangle.</summary>
    public void Fill(int left, int top, int width, int height, Rgb colour)
    {
        for (int y = top; y < top + height; y++)
            for (int x = left; x < left + width; x++) Set(x, y, colour);
    }

    /// <summary>Draws an image of floats in [0, 1], each pixel as a square.</summary>
    /// <param name="image">[channels, rows, columns] with 1 or 3 channels.</param>
    public void Draw(ReadOnlySpan<float> image, int rows, int columns, int left, int top, int scale)
    {
        int area = rows * columns, green = image.Length == area ? 0 : area;
        for (int i = 0; i < area; i++)
        {
            var colour = new Rgb(Level(image[i]), Level(image[i + green]), Level(image[i + 2 * green]));
            Fill(left + i % columns * scale, top + i / columns * scale, scale, scale, colour);
        }
    }

    /// <summary>A title in ASCII that the picture's file carries, or null.</summary>
    public string? Title { get; init; }

    /// <summary>The picture as a PNG file's bytes.</summary>
    public byte[] ToPng() => Png.Encode(Width, Height, 3, _pixels, Title);

    private static byte Level(float value) => (byte)MathF.Round(Math.Clamp(value, 0, 1) * 255);

    private void Set(int x, int y, Rgb colour)
    {
        int at = (y * Width + x) * 3;
        (_pixels[at], _pixels[at + 1], _pixels[at + 2]) = (colour.R, colour.G, colour.B);
    }
}
