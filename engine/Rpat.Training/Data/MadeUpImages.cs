namespace Rpat.Training.Data;

/// <summary>
/// Made-up pictures that a network can learn: stripes whose direction, width and colour indicate the class, with random phase and contrast
/// under noise. For trying things out without a download, never for results.
/// </summary>
/// <param name="Channels">1 or 3.</param>
internal sealed record MadeUpImages(int Channels, int Height, int Width, int Classes, ulong Seed)
{
    private const int PhaseDraw = 0, ContrastDraw = 1, NoiseDraw = 16;
    private const float Noise = 0.12f;

    /// <summary>Makes a set whose classes take turns.</summary>
    /// <param name="part">0 for training, 1 for held-out images: other pictures of the same classes.</param>
    /// <param name="classNames">Names, or null for numbers.</param>
    public LabeledImages Make(string name, int count, int part, IReadOnlyList<string>? classNames = null)
    {
        int size = Channels * Height * Width;
        var pixels = new byte[checked(count * size)];
        Parallel.For(0, count, i => Draw(i, part, pixels.AsSpan(i * size, size)));
        int[] labels = [.. Enumerable.Range(0, count).Select(i => i % Classes)];
        return new(name, Channels, Height, Width, pixels, labels, classNames ?? Numbers());
    }

    private string[] Numbers() => [.. Enumerable.Range(0, Classes).Select(k => k.ToString(CultureInfo.InvariantCulture))];

    private void Draw(int sample, int part, Span<byte> image)
    {
        PhiloxStream draws = new RandomKey(Seed, Purpose.Synthetic, part, sample, 0, 0).Stream();
        var noise = new float[image.Length];
        draws.FillSymmetric(noise, NoiseDraw);
        int label = sample % Classes, area = Height * Width;
        double angle = Math.PI * (label % 10) / Math.Min(Classes, 10), waves = 2 + label % 3, turn = 2 * Math.PI * draws.Uniform(PhaseDraw);
        double contrast = 0.2 + 0.2 * draws.Uniform(ContrastDraw);
        for (int i = 0; i < image.Length; i++)
        {
            double along = i % Width * Math.Cos(angle) / Width + i % area / Width * Math.Sin(angle) / Height;
            double value = 0.5 + contrast * Tint(label, i / area) * Math.Sin(2 * Math.PI * waves * along + turn) + Noise * noise[i];
            image[i] = (byte)Math.Round(255 * Math.Clamp(value, 0, 1));
        }
    }

    // How strongly a channel shows the stripes: another mixture of the channels for each class.
    private double Tint(int label, int channel) => 0.6 + 0.4 * Math.Cos(2 * Math.PI * (label / (double)Classes + channel / 3.0));
}
