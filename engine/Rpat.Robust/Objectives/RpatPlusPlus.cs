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
public sealed record RpatPlusPlus(PgdOptions Pgd, Coefficient Beta, float Alpha = 0.5f, int Start = ReBat.PublishedStart) : ReBat(Pgd, Beta, Start), IMethod
{
    /// <inheritdoc cref="IMethod.Methods"/>
    public static new IReadOnlyList<MethodInfo> Methods { get; } =
    [
        new("rpat++", "ReBAT with the averaged network's perception as its teacher", "RPAT, ICCV'25; methods.md 3.2",
            new("C on CE", "CE(x') + beta KL(softmax(z_avg(x~) - (1 - alpha) z_avg(x)), softmax(alpha z(x')))") { Nets = "average of the weights, reported", Extra = "schedule.factor 1/1.5" },
            ReBatSettings.RpatPlusPlus)
        {
            Assumed =
            [
                new("schedule.factor", "0.6666667", "decay of the learning rate, d = 1.5: " + Flags),
                Assumptions.CutMix,
            ],
            LooksAtAverage = true,
            Parameters =
            [
                .. ReBatSettings.Beta(Flags, uncertain: true),
                .. ReBatSettings.Shared,
                MethodParameter.Number("alpha", "0.5", "place of the middle image between clean (0) and adversarial (1)", "official code") with { Least = 1e-3, Most = 1 },
            ],
            TakesRpat = false,
        },
    ];

    private const string Flags = "the official code's default; which flags the runs on WRN-34-10, CIFAR-100 and L2 took is not given";

    /// <inheritdoc/>
    public override string Name => "rpat++";

    /// <inheritdoc/>
    // α·(z(x) + (z(x̃) − z(x))/α) = z(x̃) − (1−α)z(x): both sides of the divergence are scaled by α.
    protected override Loss FromAverage(Views v) => v.Distill(v.Averaged.Extrapolated(Alpha), v.Adversarial, Alpha, detach: true);
}
