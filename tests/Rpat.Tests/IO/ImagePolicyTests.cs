using Rpat.Tests.Golden;

namespace Rpat.Tests.IO;

/// <summary>AutoAugment and RandAugment against Pillow's pixels (Golden/README.md, policies.npz).</summary>
public sealed class ImagePolicyTests
{
    private const int Height = 20, Width = 16, Epoch = 3;
    private const ulong Seed = 5;

    private static readonly GoldenArrays _golden = new("policies.npz");

    public static TheoryData<PixelOp> Ops => [.. Enum.GetValues<PixelOp>().Where(op => op != PixelOp.Identity)];

    [Theory]
    [MemberData(nameof(Ops))]
    public void AnOperationGivesPillowsPixels(PixelOp op)
    {
        double[] magnitudes = _golden.Doubles($"{op}/magnitudes");
        for (int k = 0; _golden.Has($"image{k}"); k++)
        {
            byte[] image = _golden.Bytes($"image{k}");
            PixelEditor editor = new(image.Length / (Height * Width), Height, Width);
            byte[][] expected = [.. _golden.Bytes($"{op}/{k}").Chunk(image.Length)];
            for (int i = 0; i < magnitudes.Length; i++)
            {
                byte[] pixels = [.. image];
                editor.Apply(op, magnitudes[i], pixels);
                Assert.True(expected[i].AsSpan().SequenceEqual(pixels), $"{op} by {magnitudes[i]} of image {k}");
            }
        }
    }

    [Theory]
    [InlineData("pairs", PolicyKind.AutoAugment, 2, 9)]
    [InlineData("drawn", PolicyKind.RandAugment, 2, 9)]
    [InlineData("drawn-3-14", PolicyKind.RandAugment, 3, 14)]
    public void APolicyIsTorchvisions(string name, PolicyKind kind, int ops, int magnitude)
    {
        var set = Images(_golden.Shape(name).N);
        ImageBatch batch = new(set, new BatchOptions(set.Count, default) { Policy = new(kind, ops, magnitude) });
        batch.Load([.. Enumerable.Range(0, set.Count)], Seed, Epoch, number: 0);
        byte[][] expected = [.. _golden.Bytes(name).Chunk(set.ImageSize)];
        for (int i = 0; i < set.Count; i++)
            Assert.Equal(Array.ConvertAll(expected[i], v => v / 255f), batch.Images.Slice(i * set.ImageSize, set.ImageSize).ToArray());
    }

    [Fact]
    public void AnImageDependsOnItsOwnNumbersAlone()
    {
        var set = Images(8);
        BatchOptions options = new(4, new AugmentOptions(2, true) { Cutout = 5 }) { TwoViews = true, Policy = new(PolicyKind.AutoAugment) };
        var many = Load(options with { Size = 8 }, [0, 1, 2, 3, 4, 5, 6, 7]);
        var few = Load(options, [6, 2]);
        Assert.Equal(View(many.Images, 6), View(few.Images, 0));
        Assert.Equal(View(many.SecondView, 2), View(few.SecondView, 1));
        Assert.NotEqual(View(many.Images, 6), View(many.SecondView, 6));
        Assert.NotEqual(View(many.Images, 6), View(Load(options with { Policy = null }, [6]).Images, 0));

        ImageBatch Load(BatchOptions batch, int[] indices)
        {
            ImageBatch loaded = new(set, batch);
            loaded.Load(indices, Seed, Epoch, 0);
            return loaded;
        }

        float[] View(ReadOnlySpan<float> images, int i) => images.Slice(i * set.ImageSize, set.ImageSize).ToArray();
    }

    [Fact]
    public void CutoutComesLast()
    {
        var set = Images(12);
        AugmentOptions augment = new(0, false) { Cutout = 41 };
        ImageBatch batch = new(set, new BatchOptions(12, augment) { Policy = new(PolicyKind.AutoAugment) });
        batch.Load([.. Enumerable.Range(0, 12)], Seed, Epoch, 0);
        Assert.All(batch.Images.ToArray(), value => Assert.Equal(0, value)); // an inverted black would be white
    }

    private static LabeledImages Images(int count) => new(
        "golden", 3, Height, Width, [.. Enumerable.Range(0, count).SelectMany(i => _golden.Bytes($"image{i % 2}"))],
        new int[count], ["a"]);
}
