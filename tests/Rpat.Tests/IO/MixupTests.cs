namespace Rpat.Tests.IO;

public sealed class MixupTests
{
    private static readonly LabeledImages _set = BatchFixture.Set(channels: 2, height: 3, width: 4, count: 6);

    [Fact]
    public void EveryImageIsBlendedWithItsPartnerByTheShare()
    {
        var batch = new ImageBatch(_set, new BatchOptions(6, default) { Mixup = 0.8 });
        batch.Load([0, 1, 2, 3, 4, 5], seed: 4, epoch: 1, number: 2);
        int[] partners = [0, 1, 2, 3, 4, 5];
        float[] before = new float[6 * 24], after = new float[6 * 24];
        _set.CopyFloats(partners, before);
        before.CopyTo(after, 0);
        float share = Mixup.Apply(24, after, 0.8, new RandomKey(4, Purpose.Mix, 1, 2, 0, 0), partners, new float[6 * 24]);
        Assert.Equal([0, 1, 2, 3, 4, 5], partners.Order());
        for (int i = 0; i < after.Length; i++)
            Assert.Equal(share * before[i] + (1 - share) * before[partners[i / 24] * 24 + i % 24], after[i], 1e-6f);
        Assert.Equal(share, batch.Share);
        Assert.Equal(after, batch.Images.ToArray());
        Assert.Equal(Array.ConvertAll(partners, p => _set.Labels[p]), batch.PartnerLabels.ToArray());
    }

    // Beta(α, α) has the mean 1/2 and the variance 1/(4(2α + 1)).
    [Theory]
    [InlineData(0.2)]
    [InlineData(0.75)]
    [InlineData(1)]
    [InlineData(5)]
    public void SharesAreBetaNumbers(double alpha)
    {
        double[] shares = [.. Enumerable.Range(0, 4000)
            .Select(i => Beta.Draw(alpha, new RandomKey(1, Purpose.Mix, 1, i, 0, 0).Stream(), 0))];
        Assert.All(shares, share => Assert.InRange(share, 0, 1));
        double mean = shares.Average(), variance = shares.Average(s => (s - mean) * (s - mean)), expected = 1 / (4 * (2 * alpha + 1));
        Assert.InRange(mean, 0.48, 0.52);
        Assert.InRange(variance, 0.93 * expected, 1.07 * expected);
    }
}
