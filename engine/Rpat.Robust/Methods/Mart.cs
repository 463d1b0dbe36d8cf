using Rpat.Robust.Settings;

namespace Rpat.Robust.Methods;

/// <summary>
/// MART (ICLR'20; methods.md 2.4): CE(x′) − log(1.0001 − p_j(x′)) + β·(1 − p_y(x))·KL(p(x) ‖ p(x′)), the weight not detached.
/// </summary>
[Method("mart", "boosted cross-entropy and a divergence weighted by misclassification", "Wang et al., ICLR'20; methods.md 2.4",
    Attack = "B on CE", Terms = "CE(x') + complement(x') + beta (1 - p_y(x)) KL(p(x), p(x'))", Weights = "1 - p_y(x), with gradient")]
public sealed record Mart(PgdOptions Pgd) : Objective
{
    /// <summary>β.</summary>
    [Setting("weight of the divergence", Source = "RPAT_Benchmarks; the original takes 5 for ResNet-18")]
    public float Beta { get; init; } = 6;

    /// <inheritdoc/>
    public override PgdOptions Attack => Pgd.B(InnerLoss.CrossEntropy);

    /// <inheritdoc/>
    public override bool NeedsOneClass => true;

    /// <inheritdoc/>
    public override IReadOnlyList<Assumption> Assumed => Assumptions.Benchmarks;

    /// <inheritdoc/>
    public override Loss Loss(ViewLogits v)
    {
        var (clean, adversarial) = (v.Clean, v.Adversarial);
        var boosted = v.CrossEntropy(adversarial, v.SampleWeights) + v.Complement(adversarial, v.SampleWeights);
        return boosted + Beta * v.MartDistill(clean, adversarial);
    }
}
