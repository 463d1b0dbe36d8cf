namespace Rpat.Engine.Images;

/// <summary>A rectangle of pixels: rows <paramref name="Top"/> up to but excluding <paramref name="Bottom"/>; columns in the same
/// way.</summary>
public readonly record struct PixelBox(int Top, int Bottom, int Left, int Right)
{
    /// <summary>Columns.</summary>
    public int Width => Right - Left;

    /// <summary>Pixels.</summary>
    public int Area => (Bottom - Top) * Width;

    /// <summary>Whether it contains pixels of this row.</summary>
    public bool HasRow(int y) => y >= Top && y < Bottom;

    /// <summary>The part inside the image of a box that starts half its size, rounded down, before the centre.</summary>
    public static PixelBox Around(int y, int x, int boxHeight, int boxWidth, int height, int width) => new(
        Math.Clamp(y - boxHeight / 2, 0, height), Math.Clamp(y - boxHeight / 2 + boxHeight, 0, height),
        Math.Clamp(x - boxWidth / 2, 0, width), Math.Clamp(x - boxWidth / 2 + boxWidth, 0, width));

    /// <summary>The same for a box that reaches half its size, rounded down, to either side: an odd size loses a pixel.</summary>
    public static PixelBox HalfToEitherSide(int y, int x, int boxHeight, int boxWidth, int height, int width) =>
        Around(y, x, boxHeight / 2 * 2, boxWidth / 2 * 2, height, width);
}
