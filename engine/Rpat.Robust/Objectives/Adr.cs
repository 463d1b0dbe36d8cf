using Rpat.Engine;

namespace Rpat.Robust;

/// <summary>
/// Annealing self-distillation rectification (ADR, ICLR'24; methods.md 4.11): CE(x′) and its attack against rectified targets; or on top of
/// TRADES, CE(x) against them + β·KL(p(x) ‖ p(x′)), x and x′ in one forward.
/// </summary>
/// <param name="Pgd">The attack.</param>
/// <param name="Rectified">The targets.</param>
/// <param name="Beta">β of the form on top of TRADES; null for the other form.</param>
public sealed record Adr(PgdOptions Pgd, RectifiedTarget Rectified, float? Beta = null) : Objective, IMethod
{
    /// <inheritdoc/>
    public static IReadOnlyList<MethodInfo> Methods { get; } =
    [
        new("adr", "targets rectified by the averaged network", "Wu et al., ICLR'24; methods.md 4.11",
            new("G on CE with soft targets, training mode", "CE(x') with soft targets") { Target = "mixture of true class and average's softmax", Nets = "average of the weights" },
            static (s, pgd) => new Adr(
                pgd, new(s.Number("temperature_start"), s.Number("temperature_end"), s.Number("share_start"), s.Number("share_end")))
            {
                Beta = s.Text("base") == "trades" ? s.Number("beta") : null,
                Awp = s.Number("gamma") == 0 ? null : new(s.Number("gamma"), Everything: true, StatisticsFirst: true),
                Average = new EmaAveraging(s.Number("decay")) { Report = s.Flag("report_average") },
            })
        {
            NeedsOneClass = true,
            LooksAtAverage = true,
            Parameters =
            [
                MethodParameter.Number("temperature_start", "2.5", "temperature at the start", "official code, CIFAR-10; 1.5 for CIFAR-100") with { Least = 1e-3 },
                MethodParameter.Number("temperature_end", "2", "temperature at the end", "official code, CIFAR-10; 1 for CIFAR-100") with { Least = 1e-3 },
                MethodParameter.Number("share_start", "0.7", "trust in the average at the start", "official code") with { Most = 1 },
                MethodParameter.Number("share_end", "0.95", "trust in the average at the end", "official code") with { Most = 1 },
                MethodParameter.Number("decay", "0.995", "share of the old average in each step", "official code") with { Most = 1 },
                MethodParameter.Flag("report_average", false, "report the averaged network (ADR+WA)", "the table's row is taken to be the plain one") with { Uncertain = true },
                MethodParameter.Number("gamma", "0", "size of a perturbation of every weight (ADR+AWP: 0.005); 0 for none", "official code; the table's row is taken to be the plain one") with { Uncertain = true },
                MethodParameter.Choice("base", "at", "what it stands on: at, or trades, with x and x' in one forward", "official code has both", "at", "trades"),
                MethodParameter.Number("beta", "6", "weight of the divergence where base is trades", "official code"),
            ],
        },
    ];

    /// <inheritdoc/>
    public override string Name => "adr";

    /// <inheritdoc/>
    public override PgdOptions Attack => Pgd.For(InnerLoss.CrossEntropy, PgdStart.Ball, BnMode.Train);

    /// <inheritdoc/>
    public override Averaging? Average { get; init; } = new EmaAveraging(0.995f) { Report = false };

    /// <inheritdoc/>
    public override TargetRule Target => Rectified;

    /// <inheritdoc/>
    public override Loss Loss(Views v)
    {
        if (Beta is not { } beta) return v.CrossEntropy(v.Adversarial);
        var (clean, adversarial) = v.Together();
        return v.CrossEntropy(clean) + beta * v.Distill(clean, adversarial);
    }
}
