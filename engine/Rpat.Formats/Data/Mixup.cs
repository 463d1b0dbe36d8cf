namespace Rpat.Formats.Data;

/// <summary>
/// Blends each image of a batch with another one: λ of itself and 1 − λ of its partner, λ from Beta(α, α), the same for the whole batch.
/// Zhang et al., "mixup: Beyond empirical risk minimization", ICLR 2018.
/// </summary>
public static class Mixup
{
    private const int ShareDraw = 1 << 20; // after those of CutMix, which the same batch may have drawn

    /// <summary>Draws the partners and λ, and blends in place.</summary>
    /// <param name="imageSize">Values per image.</param>
    /// <param name="alpha">α, above 0.</param>
    /// <returns>λ.</returns>
    /// <inheritdoc cref="CutMix.Apply"/>
    public static float Apply(int imageSize, Span<float> images, double alpha, in RandomKey key, Span<int> partners, Span<float> before)
    {
        PhiloxStream draws = key.Stream();
        CutMix.Shuffle(partners, draws);
        float share = (float)Beta.Draw(alpha, draws, ShareDraw);
        images.CopyTo(before);
        for (int i = 0; i < images.Length; i++)
        {
            float other = before[partners[i / imageSize] * imageSize + i % imageSize];
            images[i] = other + share * (before[i] - other);
        }
        return share;
    }
}
