using Rpat.Engine;

namespace Rpat.Robust;

/// <summary>
/// GAIRAT (ICLR'21; methods.md 4.4): CE(x′) with weights ½(1 + tanh(Λ + 5(1 − 2κ/K))), scaled to a mean of 1; κ counts the iterates of
/// the attack that were still classified correctly.
/// </summary>
/// <param name="Pgd">The attack.</param>
/// <param name="Lambda">Λ; infinity gives every image the same weight.</param>
/// <param name="Start">First epoch, counted from 1, with weights.</param>
public sealed record Gairat(PgdOptions Pgd, float Lambda = -1, int Start = 60) : Objective
{
    /// <inheritdoc/>
    public override string Name => "gairat";

    /// <inheritdoc/>
    public override PgdOptions Attack => Pgd with { CountsHits = float.IsFinite(Lambda) };

    /// <inheritdoc/>
    public override Objective InEpoch(int epoch) => epoch < Start ? this with { Lambda = float.PositiveInfinity } : this;

    /// <inheritdoc/>
    public override Loss Loss(Views v) =>
        v.CrossEntropy(v.Adversarial, float.IsFinite(Lambda) ? v.Weights(v.Adversarial, Weigh(v.Hits)) : null);

    private SampleWeighting Weigh(ReadOnlyMemory<int> hits) => (logits, labels, weights) =>
    {
        double sum = 0;
        for (int i = 0; i < weights.Length; i++)
            sum += weights[i] = (float)(0.5 * (1 + Math.Tanh(Lambda + 5 * (1 - 2.0 * hits.Span[i] / Pgd.Steps))));
        for (int i = 0; i < weights.Length; i++) weights[i] = (float)(weights[i] * weights.Length / sum);
    };
}
