using Rpat.Engine;

namespace Rpat.Robust;

/// <summary>ReBAT (NeurIPS'23; methods.md section 3): CE(x′) + β·KL(p_avg(x′) ‖ p(x′)) once the averaged network moves on its own.</summary>
/// <param name="Pgd">The attack.</param>
/// <param name="Beta">β, which may follow the learning rate.</param>
/// <param name="Start">First epoch, counted from 1, of the term.</param>
public record ReBat(PgdOptions Pgd, Coefficient Beta, int Start = ReBat.PublishedStart) : Objective, IMethod
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
                .. ReBatSettings.Beta("official code for PreActResNet-18; unverified for WRN-34-10 without CutMix"),
                .. ReBatSettings.Shared,
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
    public sealed override Loss Loss(Views v)
    {
        var loss = v.CrossEntropy(v.Adversarial);
        return Beta.IsZero ? loss : loss + v.Times(Beta, FromAverage(v));
    }

    /// <summary>The divergence of the network from its averaged one.</summary>
    protected virtual Loss FromAverage(Views v) => v.Distill(v.Averaged.Adversarial, v.Adversarial, detach: true);
}
