namespace Rpat.Tests.Reference;

/// <summary>Pad, crop back to the same size, and flip (methods.md 1.8).</summary>
internal static class ReferenceAugment
{
    /// <summary>
    /// Zero-pads every image by <paramref name="pad"/>, cuts the window of the original size whose corner is (top, left) in the
    /// padded image (0 .. 2·pad; pad is the identity), then mirrors left to right where asked. One choice per sample.
    /// </summary>
    public static Array4 CropFlip(Array4 x, int pad, int[] top, int[] left, bool[] flip)
    {
        Array4 y = x.Like();
        for (int i = 0; i < x.Length; i++)
        {
            int n = i / x.SampleLength, c = i / (x.H * x.W) % x.C, row = i / x.W % x.H, column = i % x.W;
            int from = flip[n] ? x.W - 1 - column : column;
            y.Data[i] = Padded(x, n, c, row + top[n] - pad, from + left[n] - pad);
        }

        return y;
    }

    private static double Padded(Array4 x, int n, int c, int row, int column) =>
        (uint)row < (uint)x.H && (uint)column < (uint)x.W ? x[n, c, row, column] : 0;
}
