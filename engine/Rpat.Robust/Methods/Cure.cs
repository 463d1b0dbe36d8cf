using Rpat.Robust.Modifiers;
using Rpat.Robust.Settings;

namespace Rpat.Robust.Methods;

/// <summary>
/// CURE (ICLR'24; methods.md 4.12), the paper's form: TRADES + γ·(KL(p_r(x) ‖ p(x)) + KL(p_r(x′) ‖ p(x′))), where the revision network r
/// is a slow average, with only the prominent gradients of each tensor. The code's form has α·CE(x) + (1 − α)·CE(x′) instead of TRADES
/// and masks by the whole loss's gradient. The run starts from a network trained on clean images.
/// </summary>
/// <param name="Pgd">The attack; it maximises the divergence.</param>
[Method("cure", "conserves and revises what clean training learned: masked gradients and a revision network",
    "Gowda et al., ICLR'24; methods.md 4.12",
    Attack = "B on KL", Terms = "CE(x) + beta KL(p(x), p(x')) + gamma (KL(p_r(x), p(x)) + KL(p_r(x'), p(x')))",
    Nets = "revision network, a slow average", Extra = "only prominent gradients; clean start",
    Departs = "epochs of method.warmup train on clean images alone, and the revision network moves in them too; "
        + "the official script of the Eff variant warms up to epoch 80 of its budget")]
public sealed record Cure(PgdOptions Pgd) : Objective
{
    /// <summary>β.</summary>
    [Setting("weight of the divergence", Source = "the paper prints 1, the code's default is 5", Uncertain = true)]
    public float Beta { get; init; } = 1;

    /// <summary>γ.</summary>
    [Setting("weight of the revision", Source = "paper: 1 for ResNets, 0.5 for WRN-34-10")]
    public float Gamma { get; init; } = 1;

    /// <summary>Share of each tensor's gradients that is masked.</summary>
    [Setting("share of each tensor's gradients that is masked", Name = "mask", Max = 1,
        Source = "paper: 0.3 ResNet-18, 0.5 WRN-34-10, 0.2 PreActResNet-18")]
    public float MaskShare { get; init; } = 0.3f;

    /// <summary>α.</summary>
    [Setting("share of the clean gradient in the prominence", Name = "clean", Max = 1,
        Source = "paper: 0.1 ResNet-18, 0.3 WRN-34-10, 0.2 PreActResNet-18")]
    public float CleanShare { get; init; } = 0.1f;

    /// <summary>The code's form.</summary>
    [Setting("the official code's loss and mask instead of the paper's", Source = "paper and code disagree", Uncertain = true)]
    public bool CodeForm { get; init; }

    /// <summary>Largest share of the old revision network.</summary>
    [Setting("largest share of the old revision network", Source = "official code", Max = 1)]
    public float Decay { get; init; } = 0.999f;

    /// <summary>Probability that a step updates the revision network.</summary>
    [Setting("chance of a step to move the revision network", Source = "official code; the paper lets it fall", Max = 1, Uncertain = true)]
    public float Probability { get; init; } = 0.2f;

    /// <summary>Fraction of that probability that is lost by the end of the run.</summary>
    [Setting("share of that chance that is lost, in a straight line, by the end of the run", Max = 1, Uncertain = true,
        Source = "the paper lets it fall and gives no curve; the code does so behind a flag only")]
    public float ProbabilityFall { get; init; }

    /// <summary>Epochs of clean training at the start, in place of given weights.</summary>
    [Setting("epochs of clean training at the start, in place of given weights", Source = "the paper's Eff variant",
        Without = "clean training", IsLastWithout = true)]
    public int Warmup { get; init; }

    /// <inheritdoc/>
    public override PgdOptions Attack => Pgd.B(InnerLoss.Kl);

    /// <inheritdoc/>
    protected internal override IReadOnlyList<Modifier> OwnModifiers =>
        [new EmaAveraging(Decay, Probability: Probability, Fall: ProbabilityFall, Statistics: false, WarmUp: AverageWarmUp.Steps)
        { Report = false }];

    /// <inheritdoc/>
    public override GradientMask? Mask => MaskShare == 0 ? null : new GradientMask(MaskShare, CleanShare, OfTotal: CodeForm);

    /// <inheritdoc/>
    public override bool LooksAtAverage => true;

    /// <inheritdoc/>
    public override bool NeedsOneClass => true;

    /// <inheritdoc/>
    public override bool WantsWeights => true;

    /// <inheritdoc/>
    public override IReadOnlyList<Assumption> Assumed =>
        [new("optimizer.weight_decay", "5e-4", "weight decay: the code's default; the paper prints 5e-3, the code's recipe takes 7e-4")];

    /// <inheritdoc/>
    public override Objective InEpoch(int epoch) => epoch <= Warmup ? new Clean() : this;

    /// <inheritdoc/>
    public override Loss Loss(ViewLogits v)
    {
        var (clean, adversarial) = (v.Clean, v.Adversarial);
        var loss = CodeForm
            ? CleanShare * v.CrossEntropy(clean) + (1 - CleanShare) * v.CrossEntropy(adversarial, v.SampleWeights)
            : v.CrossEntropy(clean) + Beta * v.Distill(clean, adversarial, weights: v.SampleWeights);
        if (Gamma == 0) return loss;
        var revision = v.AveragedOnBatch;
        return loss + Gamma * (v.Distill(revision.Clean, clean, detach: true) + v.Distill(revision.Adversarial, adversarial, detach: true));
    }
}
