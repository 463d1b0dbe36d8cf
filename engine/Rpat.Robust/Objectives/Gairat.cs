using Rpat.Engine;

namespace Rpat.Robust;

/// <summary>
/// GAIRAT (ICLR'21; methods.md 4.4): CE(x′) with weights ½(1 + tanh(Λ + 5(1 − 2κ/K))), scaled to a mean of 1; κ counts the iterates of
/// the attack that were still classified correctly.
/// </summary>
/// <param name="Pgd">The attack.</param>
/// <param name="Lambda">Λ; infinity gives every image the same weight.</param>
/// <param name="Start">First epoch, counted from 1, with weights.</param>
public sealed record Gairat(PgdOptions Pgd, float Lambda = -1, int Start = 60) : Objective, IMethod
{
    /// <inheritdoc/>
    public static IReadOnlyList<MethodInfo> Methods { get; } =
    [
        new("gairat", "cross-entropy weighted by how soon the attack succeeds", "Zhang et al., ICLR'21; methods.md 4.4",
            new("D on CE, counting", "CE(x')") { Weights = "(1 + tanh(lambda + 5 - 10 kappa/steps))/2, of mean 1" },
            static (s, pgd) => new Gairat(pgd, s.Number("lambda"), s.Whole("start")))
        {
            Parameters =
            [
                MethodParameter.Number("lambda", "-1", "shift of the weights", "official code") with { Least = -100, Most = 100 },
                MethodParameter.Epoch("start", 60, "first epoch with weights", "official code; 30 for the ResNet recipe of 100 epochs"),
            ],
        },
    ];

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
