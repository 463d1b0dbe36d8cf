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
public sealed record Cure(PgdOptions Pgd, float Beta = 1, float Gamma = 1, float MaskShare = 0.3f, float CleanShare = 0.1f, bool CodeForm = false) : Objective
{
    /// <inheritdoc/>
    public override string Name => "cure";

    /// <inheritdoc/>
    public override PgdOptions Attack => Pgd.For(InnerLoss.Kl, PgdStart.Gaussian);

    /// <inheritdoc/>
    public override Averaging? Average { get; init; } =
        new EmaAveraging(0.999f, Probability: 0.2f, Statistics: false, WarmUp: true) { Report = false };

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
