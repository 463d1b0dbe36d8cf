namespace Rpat.Formats.Data;

/// <summary>
/// Operations on 8-bit images <c>[C, H, W]</c> of 1 or 3 channels, with the results of Pillow 9.4 as torchvision calls it: nearest pixels,
/// black where the image ends.
/// </summary>
public sealed class PixelEditor
{
    private const int Levels = 256;
    private const double One = 65536; // of Pillow's fixed-point coordinates

    private readonly int _channels, _height, _width;
    private readonly byte[] _before, _grey;
    private readonly byte[] _map = new byte[Levels];
    private readonly int[] _counts = new int[Levels];

    /// <summary>Prepares for images of one size.</summary>
    public PixelEditor(int channels, int height, int width)
    {
        (_channels, _height, _width) = (channels, height, width);
        (_before, _grey) = (new byte[channels * height * width], new byte[height * width]);
    }

    /// <summary>Applies an operation in place.</summary>
    /// <param name="image">The pixels, <c>[C, H, W]</c>.</param>
    /// <param name="magnitude">See <see cref="PixelOp"/>; operations without a unit ignore it.</param>
    public void Apply(PixelOp op, double magnitude, Span<byte> image)
    {
        switch (op)
        {
            case PixelOp.Identity: break;
            case PixelOp.ShearX: Affine(image, 1, magnitude, 0, 0, 1, 0); break;
            case PixelOp.ShearY: Affine(image, 1, 0, 0, magnitude, 1, 0); break;
            case PixelOp.TranslateX: Affine(image, 1, 0, -Math.Truncate(magnitude), 0, 1, 0); break;
            case PixelOp.TranslateY: Affine(image, 1, 0, 0, 0, 1, -Math.Truncate(magnitude)); break;
            case PixelOp.Rotate: Rotate(image, magnitude); break;
            case PixelOp.Brightness or PixelOp.Color or PixelOp.Contrast or PixelOp.Sharpness: Enhance(op, magnitude, image); break;
            default: Map(op, magnitude, image); break;
        }
    }

    private void Rotate(Span<byte> image, double degrees)
    {
        var (sin, cos) = Math.SinCos(-degrees * Math.PI / 180);
        double x = _width / 2.0, y = _height / 2.0;
        Affine(image, cos, sin, x - cos * x - sin * y, -sin, cos, y + sin * x - cos * y);
    }

    // Output pixel (x, y) is input pixel (a·x + b·y + c, d·x + e·y + f), both at their centres, in fixed point.
    private void Affine(Span<byte> image, double a, double b, double c, double d, double e, double f)
    {
        var (right, slope, down, rise) = (Fixed(a), Fixed(d), Fixed(e), Fixed(b));
        var (left, top) = (Fixed(c + 0.5 * a + 0.5 * b), Fixed(f + 0.5 * d + 0.5 * e));
        image.CopyTo(_before);
        image.Clear();
        for (int y = 0; y < _height; y++)
            for (int x = 0; x < _width; x++)
                Fetch(image, y * _width + x, left + x * right + y * rise >> 16, top + x * slope + y * down >> 16);
    }

    private static long Fixed(double value) => (long)Math.Floor(value * One + 0.5);

    private void Fetch(Span<byte> image, int to, long x, long y)
    {
        if (x < 0 || x >= _width || y < 0 || y >= _height) return;
        int area = _height * _width, from = (int)(y * _width + x);
        for (int channel = 0; channel < _channels; channel++) image[channel * area + to] = _before[channel * area + from];
    }

    // Pillow's blend: in single precision, truncated and clipped.
    private void Enhance(PixelOp op, double magnitude, Span<byte> image)
    {
        float factor = (float)(1 + magnitude);
        if (factor == 1) return;
        image.CopyTo(_before);
        if (op == PixelOp.Brightness) Array.Clear(_before);
        else if (op == PixelOp.Sharpness) Smooth(_before);
        else if (op == PixelOp.Color) Grey(_before);
        else Mean(_before);
        for (int i = 0; i < image.Length; i++)
            image[i] = (byte)Math.Clamp(_before[i] + factor * (image[i] - _before[i]), 0, Levels - 1);
    }

    private void Grey(byte[] image)
    {
        FindGrey(image);
        for (int i = 0; i < image.Length; i++) image[i] = _grey[i % _grey.Length];
    }

    private void Mean(byte[] image)
    {
        FindGrey(image);
        long sum = 0;
        foreach (byte value in _grey) sum += value;
        Array.Fill(image, (byte)((double)sum / _grey.Length + 0.5));
    }

    private void FindGrey(byte[] image)
    {
        int area = _grey.Length;
        if (_channels == 1) image.CopyTo(_grey, 0);
        else
            for (int i = 0; i < area; i++)
                _grey[i] = (byte)(image[i] * 19595 + image[area + i] * 38470 + image[2 * area + i] * 7471 + 0x8000 >> 16);
    }

    // Weights 1 and 5 of 13, summed from the lower row on; the outermost pixels stay.
    private void Smooth(byte[] image)
    {
        const float side = 1 / 13f, centre = 5 / 13f;
        for (int channel = 0; channel < _channels; channel++)
        {
            var plane = image.AsSpan(channel * _grey.Length, _grey.Length);
            plane.CopyTo(_grey);
            for (int y = 1; y < _height - 1; y++)
                for (int x = 1; x < _width - 1; x++)
                {
                    int at = y * _width + x;
                    float sum = 0.5f + Three(at + _width, side) + Three(at, centre) + Three(at - _width, side);
                    plane[at] = (byte)Math.Clamp(sum, 0, Levels - 1);
                }
        }

        float Three(int at, float middle) => _grey[at - 1] * side + _grey[at] * middle + _grey[at + 1] * side;
    }

    private void Map(PixelOp op, double magnitude, Span<byte> image)
    {
        int area = _grey.Length;
        for (int channel = 0; channel < _channels; channel++)
        {
            var plane = image.Slice(channel * area, area);
            if (op == PixelOp.AutoContrast) Stretch(plane);
            else if (op == PixelOp.Equalize) Even(plane);
            else
                for (int value = 0; value < Levels; value++) _map[value] = (byte)Mapped(op, magnitude, value);
            foreach (ref byte value in plane) value = _map[value];
        }
    }

    private static int Mapped(PixelOp op, double magnitude, int value) => op switch
    {
        PixelOp.Posterize => value & ~((1 << (8 - (int)magnitude)) - 1),
        PixelOp.Solarize when value < magnitude => value,
        _ => Levels - 1 - value,
    };

    private void Stretch(ReadOnlySpan<byte> plane)
    {
        int low = Levels - 1, high = 0;
        foreach (byte value in plane) (low, high) = (Math.Min(low, value), Math.Max(high, value));
        double scale = high > low ? (Levels - 1.0) / (high - low) : 1, shift = high > low ? -low * scale : 0;
        for (int value = 0; value < Levels; value++) _map[value] = (byte)Math.Clamp((int)(value * scale + shift), 0, Levels - 1);
    }

    // What is darker is counted in steps, of which the brightest value of the plane has no part.
    private void Even(ReadOnlySpan<byte> plane)
    {
        Array.Clear(_counts);
        int high = 0;
        foreach (byte value in plane) (high, _counts[value]) = (Math.Max(high, value), _counts[value] + 1);
        int step = (plane.Length - _counts[high]) / (Levels - 1), darker = step / 2;
        for (int value = 0; value < Levels; darker += _counts[value++])
            _map[value] = (byte)(step == 0 ? value : Math.Min(Levels - 1, darker / step));
    }
}
