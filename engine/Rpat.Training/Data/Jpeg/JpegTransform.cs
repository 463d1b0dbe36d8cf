using System.Runtime.Intrinsics;

namespace Rpat.Training.Data.Jpeg;

/// <summary>
/// The inverse cosine transform, to the last bit that of libjpeg's accurate integer method. That method is linear in integers up to its two
/// roundings, so a product with its effective matrix of 13-bit fractions gives the same result (Loeffler, Ligtenberg, Moschytz, "Practical
/// fast 1-D DCT algorithms with 11 multiplications", 1989).
/// </summary>
internal static class JpegTransform
{
    private const int FirstShift = 11, SecondShift = 18;

    // The contribution of coefficients 0, 2, 4 and 6 to samples 0 to 3, which is the same for samples 7 to 4.
    private static readonly int[] _even =
        [8192, 10703, 8192, 4433, 8192, 4433, -8192, -10704, 8192, -4433, -8192, 10704, 8192, -10703, 8192, -4433];

    // The contribution of coefficients 1, 3, 5 and 7 to samples 0 to 3, and with the opposite sign to samples 7 to 4.
    private static readonly int[] _odd =
        [11363, 9633, 6437, 2260, 9633, -2259, -11362, -6436, 6437, -11362, 2261, 9633, 2260, -6436, 9633, -11363];

    /// <summary>The samples of a component, [8 × blocks high, 8 × blocks wide].</summary>
    public static byte[] Samples(JpegComponent component)
    {
        int stride = 8 * component.BlocksWide;
        var samples = new byte[stride * 8 * component.BlocksHigh];
        Span<int> block = stackalloc int[64];
        for (int row = 0; row < component.BlocksHigh; row++)
        {
            for (int column = 0; column < component.BlocksWide; column++)
            {
                ReadOnlySpan<short> coefficients = component.Block(row, column);
                for (int i = 0; i < 64; i++) block[i] = (short)(coefficients[i] * component.Steps![i]);
                Pass(block, FirstShift);
                Pass(block, SecondShift);
                Store(block, samples.AsSpan(8 * row * stride + 8 * column), stride);
            }
        }

        return samples;
    }

    private static void Store(ReadOnlySpan<int> block, Span<byte> to, int stride)
    {
        for (int i = 0; i < 64; i++) to[i / 8 * stride + i % 8] = (byte)Math.Clamp(block[i] + 128, 0, 255);
    }

    // Transforms all columns in parallel and transposes the block.
    private static void Pass(Span<int> block, int shift)
    {
        Span<int> turned = stackalloc int[64];
        Vector256<int> half = Vector256.Create(1 << (shift - 1));
        for (int sample = 0; sample < 4; sample++)
        {
            Vector256<int> even = half, odd = Vector256<int>.Zero;
            for (int u = 0; u < 4; u++)
            {
                even += Vector256.Create<int>(block.Slice(16 * u, 8)) * _even[4 * sample + u];
                odd += Vector256.Create<int>(block.Slice(16 * u + 8, 8)) * _odd[4 * sample + u];
            }

            Put(Vector256.ShiftRightArithmetic(even + odd, shift), turned, sample);
            Put(Vector256.ShiftRightArithmetic(even - odd, shift), turned, 7 - sample);
        }

        turned.CopyTo(block);
    }

    private static void Put(Vector256<int> row, Span<int> turned, int place)
    {
        for (int i = 0; i < 8; i++) turned[8 * i + place] = row[i];
    }
}
