using Rpat.Engine.Random;
using Rpat.Formats.Data;

namespace Rpat.Samples.Extensions;

/// <summary>Grey images of 16×16 with stripes in one of four directions under noise; they need no files.</summary>
[DataSet("stripes", "Stripes in four directions", Shape = "1x16x16", Classes = 4, Images = "400 + 200", Licence = "MIT")]
public class Stripes : IDataSet
{
    private const int Side = 16;
    private static readonly string[] _names = ["across", "down", "rising", "falling"];

    public (LabeledImages Train, LabeledImages Test) Open(string folder) => (Make(400, first: 0), Make(200, first: 400));

    private static LabeledImages Make(int count, int first)
    {
        var pixels = new byte[count * Side * Side];
        int[] labels = [.. Enumerable.Range(0, count).Select(i => i % 4)];
        for (int i = 0; i < count; i++)
            Draw(labels[i], new RandomKey(1, Purpose.Synthetic, 0, first + i, 0, 0), pixels.AsSpan(i * Side * Side, Side * Side));
        return new LabeledImages("stripes", channels: 1, Side, Side, pixels, labels, _names);
    }

    private static void Draw(int label, RandomKey key, Span<byte> image)
    {
        var noise = new float[image.Length + 1];
        key.Stream().FillUniform(noise);
        int shift = (int)(4 * noise[^1]);
        for (int i = 0; i < image.Length; i++)
        {
            var (y, x) = (i / Side, i % Side);
            int along = label switch { 0 => y, 1 => x, 2 => x + y, _ => x - y + Side };
            image[i] = (byte)((((along + shift) & 2) == 0 ? 60 : 150) + 45 * noise[i]);
        }
    }
}
