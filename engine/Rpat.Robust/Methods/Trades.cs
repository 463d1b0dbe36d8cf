using Rpat.Robust.Settings;

namespace Rpat.Robust.Methods;

/// <summary>TRADES (ICML'19; methods.md 2.3): CE(z(x), y) + β·KL(p(x) ‖ p(x′)), with the gradient through both arguments.</summary>
/// <param name="Pgd">The attack; it maximises the divergence.</param>
[Method("trades", "clean cross-entropy and the divergence between clean and adversarial predictions",
    "Zhang et al., ICML'19; methods.md 2.3",
    Attack = "B on KL", Terms = "CE(x) + beta KL(p(x), p(x'))")]
public sealed record Trades(PgdOptions Pgd) : Objective
{
    /// <summary>β.</summary>
    [Setting("weight of the divergence", Source = "official code")]
    public float Beta { get; init; } = 6;

    /// <summary>Take p(x) from a second forward: the logits are the same, running statistics are updated once more.</summary>
    [Setting("take p(x) from a second forward, which moves running statistics once more", Source = "official code")]
    public bool Repeat
    {
        get => Quirks.HasFlag(ReferenceQuirks.RepeatedClean);
        init => Quirks = value ? Quirks | ReferenceQuirks.RepeatedClean : Quirks & ~ReferenceQuirks.RepeatedClean;
    }

    /// <inheritdoc/>
    public override ReferenceQuirks Quirks { get; init; } = ReferenceQuirks.RepeatedClean;

    /// <inheritdoc/>
    public override PgdOptions Attack => Pgd.B(InnerLoss.Kl);

    /// <inheritdoc/>
    public override IReadOnlyList<Assumption> Assumed => Assumptions.Benchmarks;

    /// <inheritdoc/>
    public override Loss Loss(ViewLogits v)
    {
        if (Quirks.HasFlag(ReferenceQuirks.AdversarialFirst)) _ = v.Adversarial;
        var (clean, adversarial) = (v.Clean, v.Adversarial);
        return v.CrossEntropy(clean) + Beta * v.Distill(Repeat ? v.Recompute(0) : clean, adversarial, weights: v.SampleWeights);
    }
}
