using Rpat.Engine;

namespace Rpat.Robust;

/// <summary>
/// SOVR (ICML'23; methods.md 4.9, from memory): the images of a batch with the smallest logit margins at x′ take λ times the
/// one-against-the-rest loss, the others the cross-entropy.
/// </summary>
/// <param name="Pgd">The attack.</param>
/// <param name="Share">Share of the batch that switches, 0.4 for 40 %.</param>
/// <param name="Lambda">λ.</param>
public sealed record Sovr(PgdOptions Pgd, float Share = 0.4f, float Lambda = 0.4f) : Objective, IMethod
{
    /// <inheritdoc/>
    public static IReadOnlyList<MethodInfo> Methods { get; } =
    [
        new("sovr", "one against the rest for the images with the smallest margins", "Kanai et al., ICML'23; methods.md 4.9",
            new("A on CE", "CE(x') or lambda OVR(x')") { Weights = "rank of the margin" },
            static (s, pgd) => new Sovr(pgd, s.Number("share"), s.Number("lambda")))
        {
            Assumed =
            [
                new("train.epochs", "200", "epochs, with drops after 100 and 150: from memory, unverified"),
                Assumptions.Network,
            ],
            NeedsOneClass = true,
            Parameters =
            [
                MethodParameter.Number("share", "0.4", "share of the batch that switches", "from memory, unverified") with { Most = 1, Uncertain = true },
                MethodParameter.Number("lambda", "0.4", "weight of one against the rest", "from memory, unverified") with { Uncertain = true },
            ],
        },
    ];

    /// <inheritdoc/>
    public override string Name => "sovr";

    /// <inheritdoc/>
    public override PgdOptions Attack => Pgd;

    /// <inheritdoc/>
    public override Loss Loss(Views v)
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
                (gaps[i], order[i]) = (z[AttackLoss.Runner(z, labels[i])] - z[labels[i]], i);
            }
            Array.Sort(gaps, order);
            for (int rank = 0; rank < order.Length; rank++) weights[order[rank]] = rank >= first == near ? 1 : 0;
        };
    }
}
