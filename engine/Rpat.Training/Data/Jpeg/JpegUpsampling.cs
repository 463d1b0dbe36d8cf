namespace Rpat.Training.Data.Jpeg;

/// <summary>
/// Upsamples a component to the picture's size as libjpeg does: if it has half of the columns or rows, a triangle filter mixes the nearest
/// sample with the next nearest, 3 to 1, with libjpeg's rounding; other ratios repeat samples.
/// </summary>
internal static class JpegUpsampling
{
    // Narrower ones are repeated.
    private const int LeastWidth = 3;

    /// <summary>The component at the picture's size, [height, width].</summary>
    public static byte[] Full(JpegFrame frame, JpegComponent component)
    {
        byte[] samples = JpegTransform.Samples(component);
        int across = frame.MaxH / component.H, down = frame.MaxV / component.V;
        bool smoothAcross = across == 2 && down <= 2 && component.Width >= LeastWidth;
        bool smoothDown = down == 2 && (across == 1 || smoothAcross);
        var full = new byte[frame.Width * frame.Height];
        var sums = new int[component.Width];
        for (int y = 0; y < frame.Height; y++)
        {
            Span<byte> row = full.AsSpan(y * frame.Width, frame.Width);
            Sum(samples, component, y / down, smoothDown ? y % 2 * 2 - 1 : 0, sums);
            if (smoothAcross) Smooth(sums, row, smoothDown ? (Even: 8, Odd: 7, Shift: 4) : (Even: 1, Odd: 2, Shift: 2));
            else if (smoothDown) for (int x = 0; x < row.Length; x++) row[x] = (byte)((sums[x] + 1 + y % 2) >> 2);
            else for (int x = 0; x < row.Length; x++) row[x] = (byte)sums[x / across];
        }

        return full;
    }

    // A row itself, or three times the row plus its neighbour in a direction; past the edge the last real row is repeated.
    private static void Sum(byte[] samples, JpegComponent component, int row, int direction, int[] sums)
    {
        int stride = 8 * component.BlocksWide, other = Math.Clamp(row + direction, 0, component.Height - 1);
        ReadOnlySpan<byte> near = samples.AsSpan(row * stride, sums.Length), far = samples.AsSpan(other * stride, sums.Length);
        for (int x = 0; x < sums.Length; x++) sums[x] = direction == 0 ? near[x] : 3 * near[x] + far[x];
    }

    private static void Smooth(int[] sums, Span<byte> row, (int Even, int Odd, int Shift) rounding)
    {
        for (int x = 0; x < row.Length; x++)
        {
            int near = x / 2, far = Math.Clamp(near + x % 2 * 2 - 1, 0, sums.Length - 1);
            row[x] = (byte)((3 * sums[near] + sums[far] + (x % 2 == 0 ? rounding.Even : rounding.Odd)) >> rounding.Shift);
        }
    }
}
