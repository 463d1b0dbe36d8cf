using Rpat.Robust.Modifiers;
using Rpat.Robust.Settings;

namespace Rpat.Robust.Methods;

/// <summary>
/// RPAT++ (ICCV'25; methods.md 3.2): ReBAT whose teacher is the averaged network's perception, CE(x′) + β·KL(softmax(z_avg(x̃) −
/// (1−α)z_avg(x)) ‖ softmax(α·z(x′))). With α = 1 it is ReBAT.
/// </summary>
[Method("rpat++", "ReBAT with the averaged network's perception as its teacher", "RPAT, ICCV'25; methods.md 3.2",
    Attack = "C on CE", Terms = "CE(x') + beta KL(softmax(z_avg(x~) - (1 - alpha) z_avg(x)), softmax(alpha z(x')))",
    Nets = "average of the weights, reported", Extra = "schedule.factor 1/1.5", Modifiers = [typeof(OfficialForwards)])]
[Note("beta", Flags, Uncertain = true), Note("schedule", Flags, Uncertain = true), Note("decay", Flags, Uncertain = true)]
public sealed record RpatPlusPlus(PgdOptions Pgd) : ReBat(Pgd)
{
    private const string Flags = "the official code's default; which flags the runs on WRN-34-10, CIFAR-100 and L2 took is not given";

    /// <summary>Position of x̃ between x and x′.</summary>
    [Setting("place of the middle image between clean (0) and adversarial (1)", Source = "official code", Min = 1e-3, Max = 1)]
    public float Alpha { get; init; } = 0.5f;

    /// <inheritdoc/>
    public override bool TakesRpat => false;

    /// <inheritdoc/>
    public override IReadOnlyList<Assumption> Assumed =>
        [new("schedule.factor", "0.6666667", "decay of the learning rate, d = 1.5: " + Flags), Assumptions.CutMix];

    // α·(z(x) + (z(x̃) − z(x))/α) = z(x̃) − (1−α)z(x): both sides of the divergence are scaled by α.
    /// <inheritdoc/>
    protected override Loss FromAverage(ViewLogits v) => v.Distill(v.Averaged.Extrapolated(Alpha), v.Adversarial, Alpha, detach: true);
}
