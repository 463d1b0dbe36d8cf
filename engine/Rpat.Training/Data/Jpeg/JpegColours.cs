namespace Rpat.Training.Data.Jpeg;

/// <summary>What the components of a JPEG file mean.</summary>
internal enum JpegColours
{
    Grey,
    Rgb,
    YCbCr,
    Cmyk,
    Ycck,
}

/// <summary>Converts full-size components to RGB with libjpeg's integer arithmetic, and inks (inverted in files) as Pillow does.</summary>
internal static class JpegColour
{
    private const int Bits = 16, Half = 1 << (Bits - 1);
    private const int RedOfCr = 91881, BlueOfCb = 116130, GreenOfCr = -46802, GreenOfCb = -22554; // 1.402, 1.772, 0.71414, 0.34414

    /// <summary>The picture, [height, width, RGB].</summary>
    public static byte[] Rgb(byte[][] planes, JpegColours colours)
    {
        var rgb = new byte[3 * planes[0].Length];
        for (int i = 0; i < planes[0].Length; i++)
        {
            Span<byte> pixel = rgb.AsSpan(3 * i, 3);
            if (colours == JpegColours.Grey) pixel.Fill(planes[0][i]);
            else for (int c = 0; c < 3; c++) pixel[c] = planes[c][i];
            if (colours is JpegColours.YCbCr or JpegColours.Ycck) FromYCbCr(pixel);
            if (colours == JpegColours.Cmyk) for (int c = 0; c < 3; c++) pixel[c] ^= 255;
            if (planes.Length == 4) Print(pixel, planes[3][i]);
        }

        return rgb;
    }

    private static void FromYCbCr(Span<byte> pixel)
    {
        int y = pixel[0], cb = pixel[1] - 128, cr = pixel[2] - 128;
        pixel[0] = Limited(y + ((RedOfCr * cr + Half) >> Bits));
        pixel[1] = Limited(y + ((GreenOfCb * cb + GreenOfCr * cr + Half) >> Bits));
        pixel[2] = Limited(y + ((BlueOfCb * cb + Half) >> Bits));
    }

    // Inks 0 to 255 on paper of the lightness that black leaves.
    private static void Print(Span<byte> inks, int light)
    {
        foreach (ref byte ink in inks)
        {
            int product = ink * light + 128;
            ink = Limited(light - ((product + (product >> 8)) >> 8));
        }
    }

    private static byte Limited(int value) => (byte)Math.Clamp(value, 0, 255);
}
