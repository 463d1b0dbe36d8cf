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
public sealed record RpatPlusPlus(PgdOptions Pgd, Coefficient Beta, float Alpha = 0.5f, int Start = ReBat.PublishedStart) : Objective, IMethod
{
    /// <inheritdoc/>
    public static IReadOnlyList<MethodInfo> Methods { get; } =
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
                MethodParameter.Number("beta", "1", "weight of the divergence", Flags) with { Uncertain = true },
                MethodParameter.Choice("schedule", "constant", "how beta moves: constant, dependent on the learning rate, or piecewise (half as much again from epoch 151)", Flags, "constant", "dependent", "piecewise") with { Uncertain = true },
                MethodParameter.Number("decay", "0.999", "share of the old average in each step", Flags) with { Most = 1, Uncertain = true },
                MethodParameter.Epoch("start", 106, "first epoch in which the average moves on its own", "official code: 105, counted from 0"),
                MethodParameter.Number("strong_eps", "0", "radius of a stronger attack in the second half of the run; 0 for none", "ReBAT++: 10/255"),
                new MethodParameter("strong_steps", SettingKind.Whole, "12", "its steps", "ReBAT++") with { Least = 1 },
                MethodParameter.Epoch("strong_from", 101, "first epoch of the stronger attack", "ReBAT++: 100, counted from 0"),
                MethodParameter.Flag("log_clean", false, "faithful to the official code: scoring and logging forwards, which only move running statistics", "methods.md section 8, number 9"),
                MethodParameter.Number("alpha", "0.5", "place of the middle image between clean (0) and adversarial (1)", "official code") with { Least = 1e-3, Most = 1 },
            ],
            TakesRpat = false,
        },
    ];

    private const string Flags = "the official code's default; which flags the runs on WRN-34-10, CIFAR-100 and L2 took is not given";

    /// <inheritdoc/>
    public override string Name => "rpat++";

    /// <inheritdoc/>
    public override PgdOptions Attack => Pgd.For(InnerLoss.CrossEntropy, PgdStart.Direction, BnMode.Train, ballFirst: true);

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
