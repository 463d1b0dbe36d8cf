using Rpat.Engine;

namespace Rpat.Robust;

/// <summary>
/// RPAT++ (ICCV'25; methods.md 3.2): ReBAT whose teacher is the averaged network's perception, CE(x′) + β·KL(softmax(z_avg(x̃) −
/// (1−α)z_avg(x)) ‖ softmax(α·z(x′))). With α = 1 it is ReBAT.
/// </summary>
/// <param name="Pgd">The attack.</param>
/// <param name="Beta">β, which may follow the learning rate.</param>
/// <param name="Alpha">Position of x̃ between x and x′.</param>
/// <param name="Start">First epoch, counted from 1, of the term.</param>
public sealed record RpatPlusPlus(PgdOptions Pgd, Coefficient Beta, float Alpha = 0.5f, int Start = ReBat.PublishedStart) : Objective
{
    /// <inheritdoc/>
    public override string Name => "rpat++";

    /// <inheritdoc/>
    public override PgdOptions Attack => Pgd.For(InnerLoss.CrossEntropy, PgdStart.Direction, BnMode.Train);

    /// <inheritdoc/>
    public override Averaging? Average { get; init; } = new EmaAveraging(0.999f, Start);

    /// <summary>The attack from <see cref="StrongerFrom"/> on, or null for the same.</summary>
    public PgdOptions? Stronger { get; init; }

    /// <summary>First epoch, counted from 1, of the stronger attack.</summary>
    public int StrongerFrom { get; init; } = 101;

    /// <inheritdoc/>
    public override bool LogsClean => Attack.ScoresEnd;

    /// <inheritdoc/>
    public override Objective InEpoch(int epoch) => this with
    {
        Pgd = Stronger is not null && epoch >= StrongerFrom ? Stronger : Pgd,
        Beta = epoch < Start ? 0 : Beta,
    };

    /// <inheritdoc/>
    public override Loss Loss(Views v)
    {
        var loss = v.CrossEntropy(v.Adversarial);
        // α·(z(x) + (z(x̃) − z(x))/α) = z(x̃) − (1−α)z(x): both sides of the divergence are scaled by α.
        return Beta.IsZero ? loss : loss + v.Times(Beta, v.Distill(v.Averaged.Extrapolated(Alpha), v.Adversarial, Alpha, detach: true));
    }
}
