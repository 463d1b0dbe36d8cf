namespace Rpat.Formats.Data;

/// <summary>
/// Pastes a box of another image of the batch into each image. The box is the same for the whole batch; its share of the area is
/// 1 - λ with λ from Beta(1, 1), before it is clipped at the image's edge. Yun et al., "CutMix", ICCV 2019, algorithm A1.
/// </summary>
public static class CutMix
{
    private const int ApplyDraw = 0;
    private const int LambdaDraw = 1;
    private const int RowDraw = 2;
    private const int ColumnDraw = 3;
    private const int PartnerDraw = 4;

    /// <summary>Draws the partners and the box of a batch and mixes it in place.</summary>
    /// <param name="images">The batch, [partners, channels, height, width]; mixed in place.</param>
    /// <param name="probability">The share of batches that are mixed.</param>
    /// <param name="key">The batch's random numbers; its sample is the batch's number in the epoch.</param>
    /// <param name="partners">Receives for each image the position in the batch of the image that its box comes from.</param>
    /// <param name="before">Room for a copy of the batch.</param>
    /// <returns>λ, the exact share of the area that each image kept; 1 when the batch is not mixed.</returns>
    public static float Apply(
        LabeledImages set, Span<float> images, double probability, in RandomKey key, Span<int> partners, Span<float> before)
    {
        PhiloxStream draws = key.Stream();
        for (int i = 0; i < partners.Length; i++) partners[i] = i;
        if (draws.Uniform(ApplyDraw) >= probability) return 1;
        Shuffle(partners, draws);
        PixelBox box = Box(draws, set.Height, set.Width);
        images.CopyTo(before);
        for (int i = 0; i < partners.Length; i++)
            Paste(set, box, before.Slice(partners[i] * set.ImageSize, set.ImageSize), images.Slice(i * set.ImageSize, set.ImageSize));
        return 1 - (float)box.Area / (set.Height * set.Width);
    }

    private static PixelBox Box(in PhiloxStream draws, int height, int width)
    {
        double side = Math.Sqrt(1 - draws.Uniform(LambdaDraw));
        return PixelBox.HalfToEitherSide(
            draws.Below(RowDraw, height), draws.Below(ColumnDraw, width), (int)(height * side), (int)(width * side), height, width);
    }

    /// <summary>Puts the partners in random order.</summary>
    internal static void Shuffle(Span<int> partners, in PhiloxStream draws)
    {
        for (int last = partners.Length - 1; last > 0; last--)
        {
            int other = draws.Below(PartnerDraw + last, last + 1);
            (partners[last], partners[other]) = (partners[other], partners[last]);
        }
    }

    private static void Paste(LabeledImages set, PixelBox box, ReadOnlySpan<float> from, Span<float> to)
    {
        for (int row = 0; row < set.Channels * set.Height; row++)
        {
            if (!box.HasRow(row % set.Height)) continue;
            int start = row * set.Width + box.Left;
            from.Slice(start, box.Width).CopyTo(to[start..]);
        }
    }
}
