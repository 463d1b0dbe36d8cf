using Rpat.Robust.Modifiers;
using Rpat.Robust.Settings;

namespace Rpat.Robust.Methods;

/// <summary>
/// ReBAT (NeurIPS'23; methods.md section 3): CE(x′) + β·KL(p_avg(x′) ‖ p(x′)) once the averaged network is no longer a copy.
/// </summary>
[Method("rebat", "PGD-AT regularised by its averaged network, with a weak decay of the learning rate",
    "Wang et al., NeurIPS'23; methods.md 3",
    Attack = "C on CE", Terms = "CE(x') + beta KL(p_avg(x'), p(x'))", Nets = "average of the weights, reported",
        Extra = "schedule.factor 1/1.5",
    Modifiers = [typeof(OfficialForwards)])]
public record ReBat(PgdOptions Pgd) : Objective
{
    /// <summary>The official code's epoch 105, counted from 0.</summary>
    public const int PublishedStart = 106;

    private const int SecondDrop = 151; // the second milestone of the 200 epochs, counted from 1

    /// <summary>β.</summary>
    [Setting("weight of the divergence", Uncertain = true,
        Source = "official code for PreActResNet-18; unverified for WRN-34-10 without CutMix")]
    public float Beta { get; init; } = 1;

    /// <summary>How β changes during the run.</summary>
    [Setting("how beta moves: constant, dependent on the learning rate, or piecewise (half as much again from epoch 151)",
        Source = "official code: off by default", Plural = "schedules")]
    public BetaSchedule Schedule { get; init; }

    /// <summary>Share of the old average in each step.</summary>
    [Setting("share of the old average in each step", Source = "official code", Max = 1)]
    public float Decay { get; init; } = 0.999f;

    /// <summary>First epoch, counted from 1, with the term and with an average that is not a copy.</summary>
    [Setting("first epoch in which the average moves on its own, counted from 1", Min = 1, Without = "plain adversarial training",
        Source = "official code: 105, counted from 0")]
    public int Start { get; init; } = PublishedStart;

    /// <summary>Radius of the stronger attack of ReBAT++; 0 for none.</summary>
    [Setting("radius of a stronger attack in the second half of the run; 0 for none", Source = "ReBAT++: 10/255", Max = 1)]
    public float StrongEps { get; init; }

    /// <summary>Its steps.</summary>
    [Setting("its steps", Source = "ReBAT++", Min = 1, Max = 100_000)]
    public int StrongSteps { get; init; } = 12;

    /// <summary>First epoch, counted from 1, of the stronger attack.</summary>
    [Setting("first epoch of the stronger attack, counted from 1", Source = "ReBAT++: 100, counted from 0", Min = 1)]
    public int StrongFrom { get; init; } = 101;

    /// <inheritdoc/>
    public override PgdOptions Attack => Pgd.C();

    /// <inheritdoc/>
    protected internal override IReadOnlyList<Modifier> OwnModifiers => [new EmaAveraging(Decay, Start)];

    /// <inheritdoc/>
    public override bool LooksAtAverage => true;

    /// <inheritdoc/>
    public override IReadOnlyList<Assumption> Assumed => [Assumptions.WideDecay, Assumptions.CutMix];

    /// <inheritdoc/>
    public override Objective InEpoch(int epoch) => this with
    {
        Pgd = StrongEps > 0 && epoch >= StrongFrom ? Pgd with { Eps = StrongEps, StepSize = Pgd.StepSize, Steps = StrongSteps } : Pgd,
        Beta = epoch < Start ? 0 : Beta,
    };

    /// <inheritdoc/>
    public sealed override Loss Loss(ViewLogits v)
    {
        var loss = v.CrossEntropy(v.Adversarial, v.SampleWeights);
        return Beta == 0 ? loss : loss + v.Times(Coefficient, FromAverage(v));
    }

    /// <summary>The divergence of the network from its average.</summary>
    protected virtual Loss FromAverage(ViewLogits v) => v.Distill(v.Averaged.Adversarial, v.Adversarial, detach: true);

    private Coefficient Coefficient => Schedule switch
    {
        BetaSchedule.Dependent => new RateCoefficient(),
        BetaSchedule.Piecewise => new StepCoefficient(Beta, SecondDrop, 1.5f * Beta),
        _ => Beta,
    };
}

/// <summary>How ReBAT's β changes during a run.</summary>
public enum BetaSchedule
{
    /// <summary>Constant.</summary>
    Constant,

    /// <summary>Increases as the learning rate falls, whatever β is.</summary>
    Dependent,

    /// <summary>1.5 times as large from the second drop of the learning rate on.</summary>
    Piecewise,
}
