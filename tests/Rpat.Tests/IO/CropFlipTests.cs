using FsCheck;
using FsCheck.Fluent;

namespace Rpat.Tests.IO;

public sealed class CropFlipTests
{
    private const ulong Seed = 77;

    [Fact]
    public void MatchesPaddingThenCroppingThenFlipping()
    {
        Gen<(int C, int H, int W, int Pad, int Epoch, bool Flip, CropBorder Border)> cases =
            from c in Gen.Choose(1, 3)
            from h in Gen.Choose(1, 9)
            from w in Gen.Choose(1, 9)
            from pad in Gen.Choose(0, Math.Min(h, w) - 1)
            from epoch in Gen.Choose(0, 50)
            from flip in Gen.Elements(true, false)
            from border in Gen.Elements(CropBorder.Zero, CropBorder.Reflect)
            select (c, h, w, pad, epoch, flip, border);
        Prop.ForAll(cases.ToArbitrary(), t =>
        {
            LabeledImages set = Set(t.C, t.H, t.W, count: 5);
            var options = new AugmentOptions(t.Pad, t.Flip) { Border = t.Border };
            var floats = new float[2 * set.ImageSize];
            CropFlip.Apply(set, [3, 1], options, Seed, t.Epoch, floats);
            Assert.Equal([.. Naive(set, 3, options, t.Epoch), .. Naive(set, 1, options, t.Epoch)], floats);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void DoesNotDependOnTheBatch()
    {
        LabeledImages set = Set(3, 8, 8, count: 10);
        var options = new AugmentOptions(4, true);
        int[] order = [9, 2, 5, 0];
        var together = new float[4 * set.ImageSize];
        CropFlip.Apply(set, order, options, Seed, 3, together);
        for (int i = 0; i < order.Length; i++)
        {
            var alone = new float[set.ImageSize];
            CropFlip.Apply(set, [order[i]], options, Seed, 3, alone);
            Assert.Equal(alone, together[(i * set.ImageSize)..((i + 1) * set.ImageSize)]);
        }
    }

    [Fact]
    public void NothingToDoCopiesTheImages()
    {
        LabeledImages set = Set(3, 8, 8, count: 4);
        float[] plain = new float[4 * set.ImageSize], augmented = new float[4 * set.ImageSize];
        set.CopyFloats([0, 1, 2, 3], plain);
        CropFlip.Apply(set, [0, 1, 2, 3], new AugmentOptions(0, false), Seed, 0, augmented);
        Assert.Equal(plain, augmented);
    }

    [Fact]
    public void EveryOffsetAndFlipIsEquallyLikely()
    {
        var counts = new int[9, 9, 2];
        const int samples = 162_000;
        for (int i = 0; i < samples; i++)
        {
            PhiloxStream draws = new RandomKey(Seed, Purpose.Augment, 0, i, 0, 0).Stream();
            counts[draws.Below(0, 9), draws.Below(1, 9), draws.Below(2, 2)]++;
        }

        // 1000 expected in each of 162 cells: chi-square has mean 161 and standard deviation 18.
        double chiSquare = counts.Cast<int>().Sum(count => (count - 1000.0) * (count - 1000.0) / 1000);
        Assert.InRange(chiSquare, 90, 250);
    }

    [Fact]
    public void EpochSeedAndViewAllChangeTheDraws()
    {
        LabeledImages set = Set(3, 8, 8, count: 1);
        float[] Augmented(ulong seed, int epoch, int view)
        {
            int[] copies = new int[1];
            var floats = new float[set.ImageSize];
            CropFlip.Apply(set, copies, new AugmentOptions(4, true, view), seed, epoch, floats);
            return floats;
        }

        int Different(Func<int, float[]> of) => Enumerable.Range(0, 50).Select(i => string.Join(' ', of(i))).Distinct().Count();
        Assert.InRange(Different(i => Augmented(Seed, i, 0)), 25, 50);
        Assert.InRange(Different(i => Augmented((ulong)i, 0, 0)), 25, 50);
        Assert.InRange(Different(i => Augmented(Seed, 0, i)), 25, 50);
    }

    [Fact]
    public void BadArgumentsAreRefused()
    {
        LabeledImages set = Set(1, 4, 4, count: 1);
        Assert.Throws<ArgumentOutOfRangeException>(() => CropFlip.Apply(set, [0], new AugmentOptions(-1, true), Seed, 0, new float[16]));
        Assert.Throws<ArgumentOutOfRangeException>(() => CropFlip.Apply(set, [0], new AugmentOptions(4, true), Seed, 0, new float[16]));
        Assert.Throws<ArgumentOutOfRangeException>(() => CropFlip.Apply(set, [1], new AugmentOptions(1, true), Seed, 0, new float[16]));
        Assert.Throws<ArgumentException>(() => CropFlip.Apply(set, [0], new AugmentOptions(1, true), Seed, 0, new float[17]));
    }

    private static LabeledImages Set(int channels, int height, int width, int count) => new(
        "set", channels, height, width,
        [.. Enumerable.Range(0, count * channels * height * width).Select(i => (byte)(i * 37 % 251 + 1))], new int[count], ["x"]);

    // Builds the padded image, cuts the crop out of it, and mirrors the crop, pixel by pixel.
    private static float[] Naive(LabeledImages set, int index, AugmentOptions options, int epoch)
    {
        PhiloxStream draws = new RandomKey(Seed, Purpose.Augment, epoch, index, options.View, 0).Stream();
        int top = draws.Below(0, 2 * options.Pad + 1), left = draws.Below(1, 2 * options.Pad + 1);
        bool flip = options.Flip && draws.Below(2, 2) == 1;
        var padded = new float[set.Channels, set.Height + 2 * options.Pad, set.Width + 2 * options.Pad];
        for (int c = 0; c < set.Channels; c++)
            for (int y = 0; y < padded.GetLength(1); y++)
                for (int x = 0; x < padded.GetLength(2); x++)
                    padded[c, y, x] = Padded(set, index, options, c, y - options.Pad, x - options.Pad);

        var result = new float[set.ImageSize];
        for (int i = 0; i < result.Length; i++)
        {
            int x = i % set.Width;
            result[i] = padded[i / set.Width / set.Height, i / set.Width % set.Height + top, (flip ? set.Width - 1 - x : x) + left];
        }

        return result;
    }

    private static float Padded(LabeledImages set, int index, AugmentOptions options, int c, int y, int x)
    {
        bool inside = y >= 0 && y < set.Height && x >= 0 && x < set.Width;
        if (!inside && options.Border == CropBorder.Zero) return 0;
        int from = (c * set.Height + Fold(y, set.Height)) * set.Width + Fold(x, set.Width);
        return set.Image(index)[from] / 255f;
    }

    // The place whose distance to the nearer edge is the same on the inside.
    private static int Fold(int place, int size) => size - 1 - Math.Abs(size - 1 - Math.Abs(place));
}
