namespace Rpat.Tests.IO;

public sealed class BatchStreamTests
{
    private static readonly LabeledImages _set = BatchFixture.Set(channels: 3, height: 8, width: 8, count: 23);
    private static readonly AugmentOptions _augment = new(2, true) { Border = CropBorder.Reflect, Cutout = 3 };
    private static readonly BatchOptions _options = new(5, _augment) { CutMix = 0.5 };

    [Fact]
    public void AnEpochIsItsShuffleInBatchesWithARestAtTheEnd()
    {
        var stream = new BatchStream(_set, _options, seed: 9);
        long[] samples = [.. stream.Epoch(4).SelectMany(batch => batch.Samples.ToArray())];
        Assert.Equal(Permutation.Of(23, 9, 4).Select(i => (long)i), samples);
        Assert.Equal(5, stream.Count);
        Assert.Equal([5, 5, 5, 5, 3], [.. stream.Epoch(4).Select(batch => batch.Count)]);
    }

    [Fact]
    public void BatchesAreThoseMadeOneByOne()
    {
        int[] order = Permutation.Of(23, 9, 4);
        var alone = new ImageBatch(_set, _options);
        int number = 0;
        foreach (ImageBatch batch in new BatchStream(_set, _options, seed: 9).Epoch(4))
        {
            alone.Load(order.AsSpan(number * 5, batch.Count), 9, 4, number++);
            Assert.Equal(BatchFixture.Content(alone), BatchFixture.Content(batch));
        }
    }

    [Fact]
    public void ImagesOnDemandAreTheSame()
    {
        BatchOptions made = new(5, _augment), later = made with { OnDemand = true };
        Assert.Equal(
            new BatchStream(_set, made, seed: 9).Epoch(2).Select(BatchFixture.Content),
            new BatchStream(_set, later, seed: 9).Epoch(2).Select(BatchFixture.Content));
        Assert.Throws<ArgumentException>(() => new ImageBatch(_set, later with { TwoViews = true }));
        Assert.Throws<ArgumentException>(() => new ImageBatch(_set, later with { CutMix = 0.5 }));
    }

    [Fact]
    public void GoingOnInTheMiddleGivesTheSameBatches()
    {
        var stream = new BatchStream(_set, _options, seed: 9);
        string[] whole = [.. stream.Epoch(2).Select(BatchFixture.Content)];
        Assert.Equal(whole.Skip(3), stream.Epoch(2, first: 3).Select(BatchFixture.Content));
    }

    [Fact]
    public void LeavingEarlyHarmsNothing()
    {
        var stream = new BatchStream(_set, _options, seed: 9);
        string[] whole = [.. stream.Epoch(1).Select(BatchFixture.Content)];
        for (int leave = 0; leave < 5; leave++) Assert.Equal(whole.Take(leave), stream.Epoch(1).Take(leave).Select(BatchFixture.Content));
        Assert.Equal(whole, stream.Epoch(1).Select(BatchFixture.Content));
    }

    [Fact]
    public void AnErrorInTheBackgroundReachesTheReader()
    {
        var wrong = new BatchStream(_set, new BatchOptions(5, new AugmentOptions(8, false)), seed: 9);
        Assert.Throws<ArgumentOutOfRangeException>(() => wrong.Epoch(1).Count());
        Assert.Throws<ArgumentOutOfRangeException>(() => new BatchStream(_set, _options, 9).Epoch(-1).Count());
    }

    [Fact]
    public void TheTwoViewsAreDrawnApart()
    {
        var batch = new ImageBatch(_set, new BatchOptions(5, _augment) { TwoViews = true });
        batch.Load([3, 1], seed: 9, epoch: 1, number: 0);
        var second = new float[2 * _set.ImageSize];
        CropFlip.Apply(_set, [3, 1], _augment with { View = 1 }, 9, 1, second);
        Assert.Equal(second, batch.SecondView);
        Assert.False(batch.Images.SequenceEqual(batch.SecondView));
    }

    [Fact]
    public void PartnersLabelsAreThoseOfTheImagesThatWereMixedIn()
    {
        var batch = new ImageBatch(_set, new BatchOptions(8, new AugmentOptions(0, false)) { CutMix = 1 });
        int[] indices = [7, 3, 20, 11, 0, 5, 16, 9];
        for (int number = 0; number < 50; number++)
        {
            batch.Load(indices, seed: 2, epoch: 1, number);
            var partners = new int[8];
            var images = new float[8 * _set.ImageSize];
            _set.CopyFloats(indices, images);
            float share = CutMix.Apply(_set, images, 1, new RandomKey(2, Purpose.Mix, 1, number, 0, 0), partners, new float[images.Length]);
            Assert.Equal(images, batch.Images);
            Assert.Equal(share, batch.Share);
            Assert.Equal(share < 1 ? partners.Select(i => _set.Labels[indices[i]]) : indices.Select(i => _set.Labels[i]),
                batch.PartnerLabels.ToArray());
        }
    }

    [Fact]
    public void TwoViewsAndCutMixContradictEachOther() =>
        Assert.Throws<ArgumentException>(() => new ImageBatch(_set, _options with { TwoViews = true }));
}
