using Rpat.Engine;

namespace Rpat.Robust;

/// <summary>MART (ICLR'20; methods.md 2.4): CE(x′) − log(1.0001 − p_j(x′)) + β·(1 − p_y(x))·KL(p(x) ‖ p(x′)), the weight with gradient.</summary>
/// <param name="Pgd">The attack.</param>
/// <param name="Beta">β.</param>
public sealed record Mart(PgdOptions Pgd, float Beta = 6) : Objective
{
    /// <inheritdoc/>
    public override string Name => "mart";

    /// <inheritdoc/>
    public override PgdOptions Attack => Pgd.For(InnerLoss.CrossEntropy, PgdStart.Gaussian);

    /// <inheritdoc/>
    public override Loss Loss(Views v)
    {
        var (clean, adversarial) = (v.Clean, v.Adversarial);
        return v.CrossEntropy(adversarial) + v.Complement(adversarial) + Beta * v.MartDistill(clean, adversarial);
    }
}
