using Rpat.Robust.Settings;

namespace Rpat.Robust.Methods;

/// <summary>
/// RAAT (CVPR'26 Findings; methods.md 4.17): cross-entropy on two attacked views, images at the boundary moved back towards their clean
/// versions, and the divergence between the logits of the mixed adversarial views and the mixture of the clean views' logits.
/// </summary>
/// <param name="Pgd">The attack, on both views.</param>
[Method("raat", "PGD-AT on two views: images at the boundary stay near it, and mixed views answer as their mixture",
    "Robust Alignment, CVPR'26 Findings (arXiv:2604.26496); methods.md 4.17",
    Attack = "A on CE, both views", Terms = "CE(x + s (x' - x)) + weight JSD(z(mix of x'1, x'2), mix of z(x1), z(x2))",
    Weights = "of the JSD: 1 if the network is right on both clean views, else 0, scaled to a mean of 1",
    Extra = "two views; s = reach at the boundary, else 1; one mix per batch",
    Departs = "mixed images of weight 0 pass through the network with the others, where the official code leaves them out, and so out of "
        + "the batch's statistics")]
public sealed record Raat(PgdOptions Pgd) : Objective
{
    /// <summary>Share of the perturbation.</summary>
    [Setting("share of the perturbation that an image at the boundary keeps: right without it, wrong with this share and with all of it",
        Source = "official code", Max = 1)]
    public float Reach { get; init; } = 0.1f;

    /// <summary>Weight of the divergence.</summary>
    [Setting("weight of the divergence", Source = "official code")]
    public float Weight { get; init; } = 1;

    /// <summary>T of the divergence.</summary>
    [Setting("temperature of its softmax", Source = "official code", Min = 1e-3, Max = 1000)]
    public float Temperature { get; init; } = 0.5f;

    /// <summary>α of the mix.</summary>
    [Setting("alpha of Beta(alpha, alpha), whose number b gives the batch's mix max(b, 1 - b)", Source = "official code", Min = 1e-3,
        Max = 1000)]
    public float Mix { get; init; } = 0.75f;

    /// <inheritdoc/>
    public override PgdOptions Attack => Pgd;

    /// <inheritdoc/>
    public override bool TwoViews => true;

    /// <inheritdoc/>
    public override bool NeedsOneClass => true;

    /// <inheritdoc/>
    public override Loss Loss(ViewLogits v)
    {
        var place = v.Given(views: 2, Place, v.Own.Clean, v.Own.At(Reach), v.Own.Adversarial);
        var loss = v.CrossEntropy(v.At(place), v.SampleWeights);
        if (Weight == 0) return loss;
        var share = v.Given(views: 1, Share);
        var mixed = v.MixedViews(share);
        var (first, second) = v.Tape.Halves(v.Clean);
        var weights = v.Given(views: 1, RightInBoth, v.Own.Clean);
        return loss + Weight * v.Consistency(mixed, v.Tape.Lerp(second, first, share), Temperature, weights);
    }

    private void Place(GivenBatch batch, Span<float> shares)
    {
        for (int i = 0; i < shares.Length; i++)
            shares[i] = batch.IsRight(0, i) && !batch.IsRight(1, i) && !batch.IsRight(2, i) ? Reach : 1;
    }

    private void Share(GivenBatch batch, Span<float> shares)
    {
        double share = Beta.Draw(Mix, batch.Draws, 0);
        shares.Fill((float)Math.Max(share, 1 - share));
    }

    private static void RightInBoth(GivenBatch batch, Span<float> weights)
    {
        int right = 0;
        for (int i = 0; i < weights.Length; i++)
            right += (weights[i] = batch.IsRight(0, i) && batch.IsRight(0, i + weights.Length) ? 1 : 0) == 1 ? 1 : 0;
        foreach (ref float weight in weights) weight *= weights.Length / (float)Math.Max(1, right);
    }
}
