using Rpat.Robust.Settings;

namespace Rpat.Robust.Methods;

/// <summary>
/// AdaAD (CVPR'23; methods.md 4.14): distillation from a robust teacher whose answer at x′ itself is the target, in the attack and in the
/// loss: share·KL(p_T(x′) ‖ p(x′)) + (1 − share)·KL(p_T(x) ‖ p(x)). True classes are not used.
/// </summary>
/// <param name="Pgd">The attack; it maximises the divergence from the teacher at the same point.</param>
[Method("adaad", "distillation from a robust teacher, which is asked at every point of the attack",
    "Huang et al., CVPR'23; methods.md 4.14",
    Attack = "B on KL(p_T(x'), p(x')), through both networks", Terms = "share KL(p_T(x'), p(x')) + (1 - share) KL(p_T(x), p(x))",
    Target = "the teacher's prediction", Nets = "a frozen robust teacher",
    Departs = "with a share of 1 the official code also makes a forward on x, which moves running statistics and nothing else")]
public sealed record AdaAd(PgdOptions Pgd) : Objective
{
    private const string Robust = "robust";

    /// <summary>Share of the adversarial term.</summary>
    [Setting("share of the divergence at x' in the loss; the rest is the one at x", Source = "official code", Max = 1)]
    public float Share { get; init; } = 1;

    /// <inheritdoc/>
    public override PgdOptions Attack => Pgd.B(InnerLoss.FromTeacher(Robust));

    /// <inheritdoc/>
    public override IReadOnlyList<string> Teachers => [Robust];

    /// <inheritdoc/>
    public override Loss Loss(ViewLogits v)
    {
        var teacher = v.Teacher(Robust);
        var loss = Share * v.Distill(teacher.Adversarial, v.Adversarial, weights: v.SampleWeights, detach: true);
        return Share == 1 ? loss : loss + (1 - Share) * v.Distill(teacher.Clean, v.Clean, detach: true);
    }
}
