using Rpat.Robust.Settings;

namespace Rpat.Robust.Methods;

/// <summary>
/// GAIRAT (ICLR'21; methods.md 4.4): CE(x′) with weights ½(1 + tanh(Λ + 5(1 − 2κ/K))) or a variant of them, scaled to a mean of 1; κ
/// counts the iterates of the attack that were still classified correctly.
/// </summary>
[Method("gairat", "cross-entropy weighted by how soon the attack succeeds", "Zhang et al., ICLR'21; methods.md 4.4",
    Attack = "D on CE, counting", Terms = "CE(x')", Weights = "(1 + tanh(lambda + 5 - 10 kappa/steps))/2, of mean 1",
    Departs = "kappa is the official code's, the number of iterates that are right, where the paper has the first step that is wrong")]
public sealed record Gairat(PgdOptions Pgd) : Objective
{
    /// <summary>Λ; the larger, the more alike the weights of all images.</summary>
    [Setting("shift of the weights", Source = "official code", Min = -10, Max = 100)]
    public float Lambda { get; init; } = -1;

    /// <summary>First epoch, counted from 1, with weights.</summary>
    [Setting("first epoch with weights, counted from 1", Min = 1, Without = "plain adversarial training",
        Source = "official code; 30 for the ResNet recipe of 100 epochs")]
    public int Start { get; init; } = 60;

    /// <summary>How a weight depends on κ.</summary>
    [Setting("how a weight depends on kappa: tanh, sigmoid of the same argument, or discrete, (steps + 1 - kappa)/(steps + 1)",
        Source = "official code", Plural = "rules")]
    public GeometryRule Rule { get; init; }

    /// <inheritdoc/>
    public override PgdOptions Attack => Pgd with { CountsCorrect = float.IsFinite(Lambda) };

    /// <inheritdoc/>
    public override bool NeedsOneClass => true;

    /// <inheritdoc/>
    public override IReadOnlyList<Assumption> Assumed => [Assumptions.Network];

    /// <inheritdoc/>
    public override Objective InEpoch(int epoch) => epoch < Start ? this with { Lambda = float.PositiveInfinity } : this;

    /// <inheritdoc/>
    public override Loss Loss(ViewLogits v) =>
        v.CrossEntropy(v.Adversarial, float.IsFinite(Lambda) ? v.Weights(v.Adversarial, Weigh(v.CorrectCounts)) : null);

    private SampleWeighting Weigh(ReadOnlyMemory<int> hits) => (logits, labels, weights) =>
    {
        double sum = 0;
        for (int i = 0; i < weights.Length; i++)
            sum += weights[i] = (float)Weight(hits.Span[i], Pgd.Steps);
        for (int i = 0; i < weights.Length; i++) weights[i] = (float)(weights[i] * weights.Length / sum);
    };

    private double Weight(int kappa, double steps)
    {
        double argument = Lambda + 5 * (1 - 2 * kappa / steps);
        return Rule switch
        {
            GeometryRule.Sigmoid => 1 / (1 + Math.Exp(-argument)),
            GeometryRule.Discrete => (steps + 1 - kappa) / (steps + 1),
            _ => 0.5 * (1 + Math.Tanh(argument)),
        };
    }
}

/// <summary>How GAIRAT's weights depend on κ of K iterates (methods.md 4.4).</summary>
public enum GeometryRule
{
    /// <summary>½(1 + tanh(Λ + 5(1 − 2κ/K))), the published one.</summary>
    Tanh,

    /// <summary>σ(Λ + 5(1 − 2κ/K)).</summary>
    Sigmoid,

    /// <summary>(K + 1 − κ)/(K + 1), without Λ.</summary>
    Discrete,
}
