using Rpat.Engine;

namespace Rpat.Robust;

/// <summary>
/// GAIRAT (ICLR'21; methods.md 4.4): CE(x′) with weights ½(1 + tanh(Λ + 5(1 − 2κ/K))) or a relative of them, scaled to a mean of 1; κ
/// counts the iterates of the attack that were still classified correctly.
/// </summary>
/// <param name="Pgd">The attack.</param>
/// <param name="Lambda">Λ; infinity gives every image the same weight.</param>
/// <param name="Start">First epoch, counted from 1, with weights.</param>
/// <param name="Rule">How a weight depends on κ.</param>
public sealed record Gairat(PgdOptions Pgd, float Lambda = -1, int Start = 60, GeometryRule Rule = GeometryRule.Tanh) : Objective, IMethod
{
    /// <inheritdoc/>
    public static IReadOnlyList<MethodInfo> Methods { get; } =
    [
        new("gairat", "cross-entropy weighted by how soon the attack succeeds", "Zhang et al., ICLR'21; methods.md 4.4",
            new("D on CE, counting", "CE(x')") { Weights = "(1 + tanh(lambda + 5 - 10 kappa/steps))/2, of mean 1" },
            static (s, pgd) => new Gairat(pgd, s.Number("lambda"), s.Whole("start"), Enum.Parse<GeometryRule>(s.Text("rule"), ignoreCase: true)))
        {
            Assumed = [Assumptions.Network],
            NeedsOneClass = true,
            Parameters =
            [
                MethodParameter.Number("lambda", "-1", "shift of the weights", "official code") with { Least = -100, Most = 100 },
                MethodParameter.Epoch("start", 60, "first epoch with weights", "official code; 30 for the ResNet recipe of 100 epochs"),
                MethodParameter.Choice("rule", "tanh", "how a weight depends on kappa: tanh, sigmoid of the same argument, or discrete, (steps + 1 - kappa)/(steps + 1)", "official code", "tanh", "sigmoid", "discrete"),
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
