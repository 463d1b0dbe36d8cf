using Rpat.Robust.Modifiers;
using Rpat.Robust.Settings;

namespace Rpat.Robust.Methods;

/// <summary>
/// Annealing self-distillation rectification (ADR, ICLR'24; methods.md 4.11): CE(x′) and its attack use rectified targets; or on top of
/// TRADES, CE(x) with these targets + β·KL(p(x) ‖ p(x′)), x and x′ in one forward.
/// </summary>
[Method("adr", "targets rectified by the averaged network", "Wu et al., ICLR'24; methods.md 4.11",
    Attack = "G on CE with soft targets, training mode", Terms = "CE(x') with soft targets",
    Target = "mixture of true class and average's softmax", Nets = "average of the weights",
    Departs = "where base is trades, the attack is TRADES's in training mode, as in the official configuration, "
        + "which starts at x + 0.001 U(0, 1) and not at a normal number")]
public sealed record Adr(PgdOptions Pgd) : Objective
{
    private const string Plain = "official code; the table's row is taken to be the plain one";

    /// <summary>τ at the start.</summary>
    [Setting("temperature at the start", Source = "official code, CIFAR-10; 1.5 for CIFAR-100", Min = 1e-3, Max = 1000)]
    public float TemperatureStart { get; init; } = 2.5f;

    /// <summary>τ at the end.</summary>
    [Setting("temperature at the end", Source = "official code, CIFAR-10; 1 for CIFAR-100", Min = 1e-3, Max = 1000)]
    public float TemperatureEnd { get; init; } = 2;

    /// <summary>λ at the start.</summary>
    [Setting("trust in the average at the start", Source = "official code", Max = 1)]
    public float ShareStart { get; init; } = 0.7f;

    /// <summary>λ at the end.</summary>
    [Setting("trust in the average at the end", Source = "official code", Max = 1)]
    public float ShareEnd { get; init; } = 0.95f;

    /// <summary>Share of the old average in each step.</summary>
    [Setting("share of the old average in each step", Source = "official code", Max = 1)]
    public float Decay { get; init; } = 0.995f;

    /// <summary>Report the averaged network.</summary>
    [Setting("report the averaged network (ADR+WA)", Source = "the table's row is taken to be the plain one", Uncertain = true)]
    public bool ReportAverage { get; init; }

    /// <summary>γ of a perturbation of every weight; 0 for none.</summary>
    [Setting("size of a perturbation of every weight (ADR+AWP: 0.005); 0 for none", Source = Plain, Max = 1, Uncertain = true)]
    public float Gamma { get; init; }

    /// <summary>The base method.</summary>
    [Setting("what it stands on: at, or trades, with TRADES's attack and x and x' in one forward", Source = "official code has both",
        Plural = "bases")]
    public StandsOn Base { get; init; }

    /// <summary>β of the form on top of TRADES.</summary>
    [Setting("weight of the divergence where base is trades", Source = "official code")]
    public float Beta { get; init; } = 6;

    /// <inheritdoc/>
    public override PgdOptions Attack => Base == StandsOn.At
        ? Pgd.G(InnerLoss.CrossEntropy)
        : Pgd.For(InnerLoss.Kl, PgdStart.Gaussian, BnMode.Train);

    /// <inheritdoc/>
    protected internal override IReadOnlyList<Modifier> OwnModifiers =>
    [
        new EmaAveraging(Decay) { Report = ReportAverage },
        .. Gamma == 0 ? Array.Empty<Modifier>() : [new Awp { Gamma = Gamma, Everything = true, StatisticsFirst = true }],
    ];

    /// <inheritdoc/>
    public override TargetRule Target => new RectifiedTarget(TemperatureStart, TemperatureEnd, ShareStart, ShareEnd);

    /// <inheritdoc/>
    public override bool NeedsOneClass => true;

    /// <inheritdoc/>
    public override bool LooksAtAverage => true;

    /// <inheritdoc/>
    public override Loss Loss(ViewLogits v)
    {
        if (Base == StandsOn.At) return v.CrossEntropy(v.Adversarial, v.SampleWeights);
        var (clean, adversarial) = v.Joint();
        return v.CrossEntropy(clean) + Beta * v.Distill(clean, adversarial, weights: v.SampleWeights);
    }
}
