using Rpat.Engine;

namespace Rpat.Robust;

/// <summary>
/// CURE (ICLR'24; methods.md 4.12), the paper's form: TRADES + γ·(KL(p_r(x) ‖ p(x)) + KL(p_r(x′) ‖ p(x′))) with a revision network r that
/// is a slow average, and only the prominent gradients of each tensor. The code's form takes α·CE(x) + (1 − α)·CE(x′) in place of TRADES
/// and masks by the whole loss's gradient. The run starts from a network that was trained on clean images.
/// </summary>
/// <param name="Pgd">The attack; it maximises the divergence.</param>
/// <param name="Beta">β.</param>
/// <param name="Gamma">γ.</param>
/// <param name="MaskShare">Share of each tensor's gradients that is masked.</param>
/// <param name="CleanShare">α.</param>
/// <param name="CodeForm">The code's form.</param>
/// <param name="WarmUp">Epochs of clean training at the start, in place of given weights.</param>
public sealed record Cure(PgdOptions Pgd, float Beta = 1, float Gamma = 1, float MaskShare = 0.3f, float CleanShare = 0.1f, bool CodeForm = false,
    int WarmUp = 0) : Objective, IMethod
{
    /// <inheritdoc/>
    public static IReadOnlyList<MethodInfo> Methods { get; } =
    [
        new("cure", "conserves and revises what clean training learned: masked gradients and a revision network", "Gowda et al., ICLR'24; methods.md 4.12",
            new("B on KL", "CE(x) + beta KL(p(x), p(x')) + gamma (KL(p_r(x), p(x)) + KL(p_r(x'), p(x')))") { Nets = "revision network, a slow average", Extra = "only prominent gradients; clean start" },
            static (s, pgd) => new Cure(
                pgd, s.Number("beta"), s.Number("gamma"), s.Number("mask"), s.Number("clean"), s.Flag("code_form"), s.Whole("warmup"))
            {
                Average = new EmaAveraging(
                    s.Number("decay"), Probability: s.Number("probability"), Fall: s.Number("probability_fall"), Statistics: false, WarmUp: true) { Report = false },
            })
        {
            Assumed = [new("optimizer.weight_decay", "5e-4", "weight decay: the code's default; the paper prints 5e-3, the code's recipe takes 7e-4")],
            LooksAtAverage = true,
            Parameters =
            [
                MethodParameter.Number("beta", "1", "weight of the divergence", "the paper prints 1, the code's default is 5") with { Uncertain = true },
                MethodParameter.Number("gamma", "1", "weight of the revision", "paper: 1 for ResNets, 0.5 for WRN-34-10"),
                MethodParameter.Number("mask", "0.3", "share of each tensor's gradients that is masked", "paper: 0.3 ResNet-18, 0.5 WRN-34-10, 0.2 PreActResNet-18") with { Most = 1 },
                MethodParameter.Number("clean", "0.1", "share of the clean gradient in the prominence", "paper: 0.1 ResNet-18, 0.3 WRN-34-10, 0.2 PreActResNet-18") with { Most = 1 },
                MethodParameter.Flag("code_form", false, "the official code's loss and mask instead of the paper's", "paper and code disagree") with { Uncertain = true },
                MethodParameter.Number("decay", "0.999", "largest share of the old revision network", "official code") with { Most = 1 },
                MethodParameter.Number("probability", "0.2", "chance of a step to move the revision network", "official code; the paper lets it fall") with { Most = 1, Uncertain = true },
                MethodParameter.Number("probability_fall", "0", "share of that chance that is lost, in a straight line, by the end of the run", "the paper lets it fall and gives no curve; the code does so behind a flag only") with { Most = 1, Uncertain = true },
                new MethodParameter("warmup", SettingKind.Whole, "0", "epochs of clean training at the start, in place of given weights", "the paper's Eff variant"),
            ],
            WantsWeights = true,
        },
    ];

    /// <inheritdoc/>
    public override string Name => "cure";

    /// <inheritdoc/>
    public override PgdOptions Attack => Pgd.For(InnerLoss.Kl, PgdStart.Gaussian, ballFirst: true);

    /// <inheritdoc/>
    public override Averaging? Average { get; init; } =
        new EmaAveraging(0.999f, Probability: 0.2f, Statistics: false, WarmUp: true) { Report = false };

    /// <inheritdoc/>
    public override Objective InEpoch(int epoch) => epoch <= WarmUp ? new Clean() : this;

    /// <inheritdoc/>
    public override GradientMask? Mask => MaskShare == 0 ? null : new GradientMask(MaskShare, CleanShare, OfTotal: CodeForm);

    /// <inheritdoc/>
    public override Loss Loss(Views v)
    {
        var (clean, adversarial) = (v.Clean, v.Adversarial);
        var loss = CodeForm
            ? CleanShare * v.CrossEntropy(clean) + (1 - CleanShare) * v.CrossEntropy(adversarial)
            : v.CrossEntropy(clean) + Beta * v.Distill(clean, adversarial);
        if (Gamma == 0) return loss;
        var revision = v.AveragedOnBatch;
        return loss + Gamma * (v.Distill(revision.Clean, clean, detach: true) + v.Distill(revision.Adversarial, adversarial, detach: true));
    }
}
