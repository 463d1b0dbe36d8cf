namespace Rpat.Tests.IO;

public sealed class CutMixTests
{
    private const int Images = 6;
    private static readonly LabeledImages _set = BatchFixture.Set(channels: 2, height: 7, width: 10, count: Images);

    [Fact]
    public void EveryPixelIsTheImagesOrItsPartnersAndTheShareIsExact()
    {
        for (int number = 0; number < 200; number++)
        {
            float[] before = Plain(), after = Plain();
            var partners = new int[Images];
            float share = CutMix.Apply(_set, after, 1, Key(number), partners, new float[after.Length]);
            Assert.Equal(Enumerable.Range(0, Images), partners.Order());
            if (partners.SequenceEqual(Enumerable.Range(0, Images))) continue; // mixed with itself, the box cannot be seen
            HashSet<int> box = Box(before, after, partners);
            Assert.Equal(1 - box.Count / 70f, share, 1e-6f);
        }
    }

    [Fact]
    public void TheShareIsSpreadEvenlyUntilTheEdgeCutsTheBox()
    {
        double[] shares = [.. Enumerable.Range(0, 4000).Select(Share)];
        // A box of a share u of the area, centred anywhere, keeps (1 - sqrt(u)/4)^2 of itself: the mean kept share is
        // 1 - E[u (1 - sqrt(u)/4)^2] = 1 - (1/2 - 1/5 + 1/48); whole pixels make boxes smaller.
        Assert.InRange(shares.Average(), 0.67, 0.72);
        Assert.InRange(shares.Min(), 0, 0.25);
        Assert.InRange(shares.Max(), 0.98, 1);
    }

    [Fact]
    public void TheProbabilityIsTheShareOfMixedBatches()
    {
        int mixed = Enumerable.Range(0, 2000).Count(number =>
            CutMix.Apply(_set, Plain(), 0.25, Key(number), new int[Images], new float[Images * _set.ImageSize]) < 1);
        Assert.InRange(mixed, 380, 560);
    }

    private static double Share(int number)
    {
        LabeledImages one = BatchFixture.Set(channels: 1, height: 32, width: 32, count: 1);
        return CutMix.Apply(one, new float[one.ImageSize], 1, Key(number), new int[1], new float[one.ImageSize]);
    }

    // The places whose values came from the partner, the same in every channel and image and a rectangle.
    private static HashSet<int> Box(float[] before, float[] after, int[] partners)
    {
        HashSet<int> box = [];
        for (int i = 0; i < after.Length; i++)
        {
            int image = i / _set.ImageSize, inImage = i % _set.ImageSize;
            float partner = before[partners[image] * _set.ImageSize + inImage];
            Assert.True(after[i] == before[i] || after[i] == partner);
            if (after[i] != before[i]) box.Add(inImage % 70);
        }

        if (box.Count == 0) return box;
        int height = box.Max(place => place / 10) - box.Min(place => place / 10) + 1;
        Assert.Equal(box.Count, height * (box.Max(place => place % 10) - box.Min(place => place % 10) + 1));
        return box;
    }

    private static float[] Plain()
    {
        var images = new float[Images * _set.ImageSize];
        _set.CopyFloats([.. Enumerable.Range(0, Images)], images);
        return images;
    }

    private static RandomKey Key(int number) => new(3, Purpose.Mix, 1, number, 0, 0);
}
