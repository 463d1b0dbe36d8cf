using Rpat.Engine;

namespace Rpat.Robust;

/// <summary>TRADES (ICML'19; methods.md 2.3): CE(z(x), y) + β·KL(p(x) ‖ p(x′)), the gradient through both arguments.</summary>
/// <param name="Pgd">The attack; it maximises the divergence.</param>
/// <param name="Beta">β.</param>
/// <param name="RepeatClean">Take p(x) from a second forward, as the official code does: the logits are the same, running statistics move once more.</param>
public sealed record Trades(PgdOptions Pgd, float Beta = 6, bool RepeatClean = true) : Objective
{
    /// <inheritdoc/>
    public override string Name => Awp is null ? "trades" : "trades-awp";

    /// <inheritdoc/>
    public override PgdOptions Attack => Pgd.For(InnerLoss.Kl, PgdStart.Gaussian);

    /// <inheritdoc/>
    public override Loss Loss(Views v)
    {
        var (clean, adversarial) = (v.Clean, v.Adversarial);
        return v.CrossEntropy(clean) + Beta * v.Distill(RepeatClean ? v.Again(0) : clean, adversarial);
    }
}
