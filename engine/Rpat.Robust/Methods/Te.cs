using Rpat.Robust.Settings;

namespace Rpat.Robust.Methods;

/// <summary>
/// Temporal ensembling (TE, ICLR'22; methods.md 4.8): CE(x′) + w(e)·mean_k (p(x′) − t)², t the image's averaged predictions; or on top of
/// TRADES, CE(x) + β·KL(p(x) ‖ p(x′)) + w(e)·mean_k (p(x) − t)².
/// </summary>
[Method("te", "PGD-AT with a table of each image's averaged predictions", "Dong et al., ICLR'22; methods.md 4.8",
    Attack = "E on CE + w (p - t)^2", Terms = "CE(x') + w(epoch) mean (p(x') - t)^2", Target = "true class, and the table",
    Nets = "table of averaged predictions",
    Departs = "where base is trades, the attack maximises beta KL(p(x), p(x')) + w (p(x') - t)^2, as the official script does")]
public sealed record Te(PgdOptions Pgd) : Objective
{
    /// <summary>The last value of w.</summary>
    [Setting("last weight of the squared term", Source = "official code")]
    public float Weight { get; init; } = 300;

    /// <summary>First epoch, counted from 1, with the table.</summary>
    [Setting("first epoch with the table, counted from 1", Source = "official code", Min = 1, Without = "plain adversarial training")]
    public int Start { get; init; } = 90;

    /// <summary>Epochs over which w rises.</summary>
    [Setting("epochs in which the weight rises", Source = "official code")]
    public int Ramp { get; init; } = 60;

    /// <summary>Share of the old average in the table.</summary>
    [Setting("share of the old average in the table", Source = "official code", Max = 1)]
    public float Decay { get; init; } = 0.9f;

    /// <summary>The base method.</summary>
    [Setting("what it stands on: at, or trades, which compares p(x) with the table and attacks beta times the divergence",
        Source = "the paper has both", Plural = "bases")]
    public StandsOn Base { get; init; }

    /// <summary>β of the form on top of TRADES, whose attack maximises the divergence.</summary>
    [Setting("weight of the divergence where base is trades", Source = "that of TRADES; not given", Uncertain = true)]
    public float Beta { get; init; } = 6;

    /// <inheritdoc/>
    public override PgdOptions Attack => IsTrades ? Pgd.B(Remembering(InnerLoss.Kl, Beta)) : Pgd.E(Remembering(InnerLoss.CrossEntropy, 1));

    /// <inheritdoc/>
    public override HistoryRule? History => IsActive ? new ImageHistory(Decay, Start) : null;

    /// <inheritdoc/>
    public override bool NeedsOneClass => true;

    /// <inheritdoc/>
    public override Objective InEpoch(int epoch) => epoch < Start ? this with { IsActive = false } : this;

    /// <inheritdoc/>
    public override Loss Loss(ViewLogits v)
    {
        if (!IsTrades) return Remember(v, v.CrossEntropy(v.Adversarial, v.SampleWeights), v.Adversarial);
        var trades = v.CrossEntropy(v.Clean) + Beta * v.Distill(v.Clean, v.Adversarial, weights: v.SampleWeights);
        return Remember(v, trades, v.Clean);
    }

    private bool IsActive { get; init; } = true; // the table is not used before the ramp begins

    private bool IsTrades => Base == StandsOn.Trades;

    private RampCoefficient W => new(Weight, Start, Ramp);

    private InnerLoss Remembering(InnerLoss inner, float scale) => IsActive ? new MemorizationLoss(W, inner, scale) : inner;

    private Loss Remember(ViewLogits v, Loss loss, Tensor logits) => IsActive ? loss + v.Times(W, v.Memory(logits)) : loss;
}

/// <summary>The adversarial training that a method is based on.</summary>
public enum StandsOn
{
    /// <summary>PGD-AT.</summary>
    At,

    /// <summary>TRADES.</summary>
    Trades,
}
