using Rpat.Engine;
using Rpat.Engine.Random;

namespace Rpat.Tests.Gpu;

/// <summary>Batches that are made on the GPU have the bits of the CPU's.</summary>
[Collection(GpuCollection.Name)]
[Covers(nameof(ICropFlipKernels.CropFlip))]
public class BatchTests(GpuFixture fixture)
{
    /// <summary>C, H, W, pad, flip, border, side of Cutout.</summary>
    public static TheoryData<int, int, int, int, bool, CropBorder, int> Augmentations => new()
    {
        { 3, 8, 8, 4, true, CropBorder.Zero, 0 }, { 3, 7, 5, 3, true, CropBorder.Reflect, 3 }, { 1, 3, 3, 0, false, CropBorder.Zero, 0 },
        { 1, 9, 4, 2, true, CropBorder.Zero, 5 }, { 2, 1, 1, 0, true, CropBorder.Reflect, 1 },
    };

    [Theory]
    [MemberData(nameof(Augmentations))]
    public void Augmented_images(int c, int h, int w, int pad, bool flip, CropBorder border, int cutout)
    {
        using var duel = new Duel(fixture);
        var image = new Shape(1, c, h, w);
        var options = new AugmentOptions(pad, flip, View: 1) { Border = border, Cutout = cutout };
        Pair pixels = duel.Labels([.. Enumerable.Range(0, (7 * image.SampleCount + 3) / 4).Select(i => unchecked((int)(2654435761u * (uint)(i + 1))))]);
        Pair batch = duel.Plain(image.WithBatch(5), 1);
        for (int epoch = 0; epoch < 4; epoch++)
        {
            var how = new CropFlipOf(image, options, new RandomKey(9, Purpose.Augment, epoch, 0, options.View, 0));
            duel.Run((k, on) => k.CropFlip(how, on(pixels)!, [6, 0, 3, 3, 5], on(batch)!));
            duel.CheckBits(batch);
        }
    }
}
