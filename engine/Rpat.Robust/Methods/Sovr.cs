using Rpat.Robust.Settings;

namespace Rpat.Robust.Methods;

/// <summary>
/// SOVR (ICML'23; methods.md 4.9, from memory): the images of a batch with the smallest logit margins at x′ have λ times the
/// one-against-the-rest loss, the others the cross-entropy.
/// </summary>
[Method("sovr", "one against the rest for the images with the smallest margins", "Kanai et al., ICML'23; methods.md 4.9",
    Attack = "A on CE", Terms = "CE(x') or lambda OVR(x')", Weights = "rank of the margin",
    Departs = "no code is public: the constants and the schedule are from memory, only the switch of losses is the abstract's")]
public sealed record Sovr(PgdOptions Pgd) : Objective
{
    /// <summary>Share of the batch that switches, 0.4 for 40 %.</summary>
    [Setting("share of the batch that switches", Source = "from memory, unverified", Max = 1, Uncertain = true)]
    public float Share { get; init; } = 0.4f;

    /// <summary>λ.</summary>
    [Setting("weight of one against the rest", Source = "from memory, unverified", Uncertain = true)]
    public float Lambda { get; init; } = 0.4f;

    /// <inheritdoc/>
    public override PgdOptions Attack => Pgd;

    /// <inheritdoc/>
    public override bool NeedsOneClass => true;

    /// <inheritdoc/>
    public override IReadOnlyList<Assumption> Assumed =>
        [new("train.epochs", "200", "epochs, with drops after 100 and 150: from memory, unverified"), Assumptions.Network];

    /// <inheritdoc/>
    public override Loss Loss(ViewLogits v)
    {
        var (near, far) = (v.Weights(v.Adversarial, Ranked(near: true)), v.Weights(v.Adversarial, Ranked(near: false)));
        return v.CrossEntropy(v.Adversarial, far) + Lambda * v.OneVsRest(v.Adversarial, near);
    }

    // Weight 1 for the images on one side of the ranking, 0 for the others.
    private SampleWeighting Ranked(bool near)
    {
        float[] gaps = [];
        int[] order = [];
        return (logits, labels, weights) =>
        {
            if (gaps.Length != labels.Length) (gaps, order) = (new float[labels.Length], new int[labels.Length]);
            int k = logits.Length / labels.Length, first = labels.Length - (int)(Share * (double)labels.Length + 1e-6);
            for (int i = 0; i < gaps.Length; i++)
            {
                var z = logits.Slice(i * k, k);
                (gaps[i], order[i]) = (z[RowMath.LargestExcept(z, labels[i])] - z[labels[i]], i);
            }
            Array.Sort(gaps, order);
            for (int rank = 0; rank < order.Length; rank++) weights[order[rank]] = rank >= first == near ? 1 : 0;
        };
    }
}
