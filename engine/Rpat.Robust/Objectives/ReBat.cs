using Rpat.Engine;

namespace Rpat.Robust;

/// <summary>ReBAT (NeurIPS'23; methods.md section 3): CE(x′) + β·KL(p_avg(x′) ‖ p(x′)) once the averaged network moves on its own.</summary>
/// <param name="Pgd">The attack.</param>
/// <param name="Beta">β, which may follow the learning rate.</param>
/// <param name="Start">First epoch, counted from 1, of the term.</param>
public sealed record ReBat(PgdOptions Pgd, Coefficient Beta, int Start = ReBat.PublishedStart) : Objective, IMethod
{
    /// <inheritdoc/>
    public static IReadOnlyList<MethodInfo> Methods { get; } =
    [
        new("rebat", "PGD-AT regularised by its averaged network, with a weak decay of the learning rate", "Wang et al., NeurIPS'23; methods.md 3",
            new("C on CE", "CE(x') + beta KL(p_avg(x'), p(x'))") { Nets = "average of the weights, reported", Extra = "schedule.factor 1/1.5" },
            ReBatSettings.ReBat)
        {
            Assumed = [Assumptions.WideDecay, Assumptions.CutMix],
            LooksAtAverage = true,
            Parameters =
            [
                MethodParameter.Number("beta", "1", "weight of the divergence", "official code for PreActResNet-18; unverified for WRN-34-10 without CutMix") with { Uncertain = true },
                MethodParameter.Choice("schedule", "constant", "how beta moves: constant, dependent on the learning rate, or piecewise (half as much again from epoch 151)", "official code: off by default", "constant", "dependent", "piecewise"),
                MethodParameter.Number("decay", "0.999", "share of the old average in each step", "official code") with { Most = 1 },
                MethodParameter.Epoch("start", 106, "first epoch in which the average moves on its own", "official code: 105, counted from 0"),
                MethodParameter.Number("strong_eps", "0", "radius of a stronger attack in the second half of the run; 0 for none", "ReBAT++: 10/255"),
                new MethodParameter("strong_steps", SettingKind.Whole, "12", "its steps", "ReBAT++") with { Least = 1 },
                MethodParameter.Epoch("strong_from", 101, "first epoch of the stronger attack", "ReBAT++: 100, counted from 0"),
                MethodParameter.Flag("log_clean", false, "faithful to the official code: scoring and logging forwards, which only move running statistics", "methods.md section 8, number 9"),
            ],
        },
    ];

    /// <summary>The official code's epoch 105, counted from 0.</summary>
    public const int PublishedStart = 106;

    /// <inheritdoc/>
    public override string Name => "rebat";

    /// <inheritdoc/>
    public override PgdOptions Attack => Pgd.For(InnerLoss.CrossEntropy, PgdStart.Direction, BnMode.Train, ballFirst: true);

    /// <inheritdoc/>
    public override Averaging? Average { get; init; } = new EmaAveraging(0.999f, Start);

    /// <summary>The attack from <see cref="StrongerFrom"/> on, or null for the same (ReBAT++).</summary>
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
        return Beta.IsZero ? loss : loss + v.Times(Beta, v.Distill(v.Averaged.Adversarial, v.Adversarial, detach: true));
    }
}
