namespace Rpat.Engine.Cases;

/// <summary>The images' shape, and how they are augmented.</summary>
public readonly record struct AugmentSize(Shape Images, AugmentOptions Options);

/// <summary>Augmented images, computed from bytes.</summary>
public sealed class CropFlipCases : OpCases<AugmentSize>
{
    /// <inheritdoc/>
    public override string Category => "images";

    /// <inheritdoc/>
    protected override IEnumerable<AugmentSize> RaggedSizes =>
    [
        Of(3, 8, 8, 4, true, CropBorder.Zero, 0), Of(3, 7, 5, 3, true, CropBorder.Reflect, 3), Of(1, 3, 3, 0, false, CropBorder.Zero, 0),
        Of(1, 9, 4, 2, true, CropBorder.Zero, 5), Of(2, 1, 1, 0, true, CropBorder.Reflect, 1),
    ];

    /// <inheritdoc/>
    protected override IEnumerable<AugmentSize> LayerSizes(int batch) => [new(new(batch, 3, 32, 32), new AugmentOptions(4, true))];

    /// <inheritdoc/>
    protected override IEnumerable<KernelCase> At(TestTensors make, AugmentSize size, bool every)
    {
        var s = size.Images;
        int[] indices = every ? [6, 0, 3, 3, 5] : [.. Enumerable.Range(0, s.N).Reverse()];
        int[] words = [.. Enumerable.Range(0, (int)((s.WithBatch(indices.Max() + 1).Count + 3) / 4))
            .Select(i => unchecked((int)(2654435761u * (uint)(i + 1))))];
        var pixels = make.Words(words);
        for (int epoch = 1; epoch <= (every ? 4 : 1); epoch++)
        {
            TestTensor batch = make.Plain(s);
            var how = new CropFlipOf(s.WithBatch(1), size.Options, new RandomKey(9, Purpose.Augment, epoch, 0, size.Options.View, 0));
            yield return new("crop and flip from bytes", k => k.CropFlip(how, pixels, indices, batch),
                new CaseResult(batch, () => ReferenceAugment.Batch(how, words, indices)))
            {
                Covers = ["CropFlip"],
                Bytes = 1.25 * batch.Bytes,
                SameBits = true,
            };
        }
    }

    private static AugmentSize Of(int c, int h, int w, int pad, bool flip, CropBorder border, int cutout) =>
        new(new(5, c, h, w), new AugmentOptions(pad, flip, View: 1) { Border = border, Cutout = cutout });
}

/// <summary>Pad, crop back to the same size, flip, Cutout (methods.md 1.8), pixel by pixel.</summary>
internal static class ReferenceAugment
{
    /// <summary>A batch of the images whose bytes are packed in words.</summary>
    public static Array4 Batch(CropFlipOf how, int[] words, int[] indices)
    {
        var image = how.Image;
        Array4 y = new(indices.Length, image.C, image.H, image.W);
        for (int n = 0; n < indices.Length; n++)
        {
            var draws = (how.Key with { Sample = indices[n] }).Stream();
            for (int i = 0; i < image.SampleCount; i++)
            {
                int from = Source(how, draws, i / image.Area, i / image.W % image.H, i % image.W);
                if (from >= 0) y.Sample(n)[i] = Byte(words, indices[n] * image.SampleCount + from) / 255.0;
            }
        }
        return y;
    }

    /// <summary>The position in its image that a pixel is copied from; −1 where the result is black.</summary>
    private static int Source(CropFlipOf how, PhiloxStream draws, int c, int row, int column)
    {
        var (image, options) = (how.Image, how.Options);
        int side = 2 * options.Pad + 1, half = options.Cutout / 2;
        if (options.Cutout > 0 && IsIn(row - draws.Below(4, image.H) + half, options.Cutout)
            && IsIn(column - draws.Below(5, image.W) + half, options.Cutout)) return -1;
        int from = options.Flip && draws.Below(2, 2) == 1 ? image.W - 1 - column : column;
        int y = row + draws.Below(0, side) - options.Pad, x = from + draws.Below(1, side) - options.Pad;
        if (options.Border == CropBorder.Reflect) (y, x) = (Reflected(y, image.H), Reflected(x, image.W));
        return IsIn(y, image.H) && IsIn(x, image.W) ? (c * image.H + y) * image.W + x : -1;
    }

    private static int Reflected(int place, int size) => place < 0 ? -place : place < size ? place : 2 * (size - 1) - place;

    private static bool IsIn(int place, int size) => place >= 0 && place < size;

    private static uint Byte(int[] words, int i) => unchecked((uint)words[i / 4]) >> 8 * (i % 4) & 255;
}
