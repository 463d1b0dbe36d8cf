namespace Rpat.Tests.Ops;

/// <summary>Augmentation from bytes on the device has the bits of the host's.</summary>
public class CropFlipTests
{
    /// <summary>C, H, W, pad, flip, border, side of Cutout.</summary>
    public static TheoryData<int, int, int, int, bool, CropBorder, int> Cases => new()
    {
        { 3, 7, 5, 3, true, CropBorder.Reflect, 3 }, { 1, 9, 4, 2, true, CropBorder.Zero, 5 },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void BatchesHaveTheHostsBits(int c, int h, int w, int pad, bool flip, CropBorder border, int cutout)
    {
        using var device = Device.Cpu(2);
        Check(device, c, h, w, new AugmentOptions(pad, flip, View: 1) { Border = border, Cutout = cutout });
    }

    [Fact]
    public void MisfitsAreRefused()
    {
        using var device = Device.Cpu(1);
        var images = new ResidentImages(device, Set(3, 4, 4));
        var batch = Tensor.Create(device, new Shape(2, 3, 4, 4));
        OpErrors.Names("CropFlip", () => images.Load([1, 2, 3], default, 1, 0, batch), "[2, 3, 4, 4]", "3 images");
        OpErrors.Names("CropFlip", () => images.Load([1, 2], new AugmentOptions(4, true), 1, 0, batch), "pad of 4");
        Assert.Throws<ArgumentOutOfRangeException>(() => images.Load([1, 7], default, 1, 0, batch));
        var exact = new LabeledImages("floats", 1, 1, 1, [128], [0], ["a"], [0.5f]);
        Assert.Contains("'floats' are floats", Assert.Throws<ArgumentException>(() => new ResidentImages(device, exact)).Message,
            StringComparison.Ordinal);
    }

    /// <summary>Several epochs of a shuffled batch against <see cref="CropFlip.Apply"/>.</summary>
    internal static void Check(Device device, int c, int h, int w, AugmentOptions options)
    {
        var set = Set(c, h, w);
        var images = new ResidentImages(device, set);
        int[] indices = [6, 0, 3, 3, 5];
        var batch = Tensor.Create(device, new Shape(indices.Length, c, h, w));
        var expected = new float[batch.Shape.Count];
        for (int epoch = 0; epoch < 4; epoch++)
        {
            CropFlip.Apply(set, indices, options, seed: 9, epoch, expected);
            images.Load(indices, options, seed: 9, epoch, batch);
            Assert.Equal(expected, batch.ToArray());
        }
    }

    private static LabeledImages Set(int c, int h, int w)
    {
        var pixels = new byte[7 * c * h * w];
        new System.Random(1).NextBytes(pixels);
        return new LabeledImages("random", c, h, w, pixels, new int[7], ["a"]);
    }
}
