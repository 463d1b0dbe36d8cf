namespace Rpat.Engine.Images;

/// <summary>
/// Blackens a square whose centre is any pixel of the image, so that near the edge only part of it lies inside. DeVries and Taylor,
/// "Improved regularization of convolutional neural networks with Cutout", 2017.
/// </summary>
public static class Cutout
{
    /// <summary>Sets a square of all channels to 0.</summary>
    /// <param name="image">One image, [channels, height, width].</param>
    /// <param name="side">The square's side in pixels; 0 does nothing.</param>
    /// <param name="firstDraw">The draw for the centre's row; the next one is for its column.</param>
    public static void Apply(Span<float> image, int height, int width, int side, in PhiloxStream draws, int firstDraw)
    {
        if (side == 0) return;
        PixelBox box = PixelBox.Around(draws.Below(firstDraw, height), draws.Below(firstDraw + 1, width), side, side, height, width);
        for (int row = 0; row < image.Length / width; row++)
            if (box.HasRow(row % height)) image.Slice(row * width + box.Left, box.Width).Clear();
    }
}
