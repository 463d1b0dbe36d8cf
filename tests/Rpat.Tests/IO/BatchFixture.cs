namespace Rpat.Tests.IO;

/// <summary>Small sets whose images all differ in every pixel.</summary>
internal static class BatchFixture
{
    internal static LabeledImages Set(int channels, int height, int width, int count)
    {
        byte[] pixels = [.. Enumerable.Range(0, count * channels * height * width).Select(i => (byte)(i * 37 % 251 + 1))];
        return new("set", channels, height, width, pixels, [.. Enumerable.Range(0, count).Select(i => i % 3)], ["a", "b", "c"]);
    }

    /// <summary>Everything a batch carries, for comparisons.</summary>
    internal static string Content(ImageBatch batch) => string.Join(
        ' ', [.. batch.Images, .. batch.SecondView, batch.Share, .. Floats(batch.Labels), .. Floats(batch.PartnerLabels),
            .. batch.Samples]);

    private static float[] Floats(ReadOnlySpan<int> values) => Array.ConvertAll(values.ToArray(), value => (float)value);
}
