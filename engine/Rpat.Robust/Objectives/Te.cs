using Rpat.Engine;

namespace Rpat.Robust;

/// <summary>
/// Temporal ensembling (TE, ICLR'22; methods.md 4.8): CE(x′) + w(e)·mean_k (p(x′) − t)², t the image's averaged predictions; or on top of
/// TRADES, CE(x) + β·KL(p(x) ‖ p(x′)) + w(e)·mean_k (p(x) − t)².
/// </summary>
/// <param name="Pgd">The attack.</param>
/// <param name="Weight">w, a ramp over epochs.</param>
/// <param name="Decay">Share of the old average in the table.</param>
/// <param name="Active">Whether the table is used; it is not before the ramp begins.</param>
/// <param name="Beta">β of the form on top of TRADES, whose attack maximises the divergence; null for the other form.</param>
public sealed record Te(PgdOptions Pgd, RampCoefficient Weight, float Decay = 0.9f, bool Active = true, float? Beta = null) : Objective, IMethod
{
    /// <inheritdoc/>
    public static IReadOnlyList<MethodInfo> Methods { get; } =
    [
        new("te", "PGD-AT with a table of each image's averaged predictions", "Dong et al., ICLR'22; methods.md 4.8",
            new("E on CE + w (p - t)^2", "CE(x') + w(epoch) mean (p(x') - t)^2") { Target = "true class, and the table", Nets = "table of averaged predictions" },
            static (s, pgd) => new Te(pgd, new(s.Number("weight"), s.Whole("start"), s.Whole("ramp")), s.Number("decay"))
            {
                Beta = s.Text("base") == "trades" ? s.Number("beta") : null,
            })
        {
            Parameters =
            [
                MethodParameter.Number("weight", "300", "last weight of the squared term", "official code"),
                MethodParameter.Epoch("start", 90, "first epoch with the table", "official code"),
                new MethodParameter("ramp", SettingKind.Whole, "60", "epochs in which the weight rises", "official code"),
                MethodParameter.Number("decay", "0.9", "share of the old average in the table", "official code") with { Most = 1 },
                MethodParameter.Choice("base", "at", "what it stands on: at, or trades, which compares p(x) with the table and attacks the divergence", "the paper has both", "at", "trades"),
                MethodParameter.Number("beta", "6", "weight of the divergence where base is trades", "that of TRADES; not given") with { Uncertain = true },
            ],
        },
    ];

    /// <inheritdoc/>
    public override string Name => "te";

    /// <inheritdoc/>
    public override PgdOptions Attack => Pgd.For(
        Active ? new MemorizationLoss(Weight, Inner) : Inner, Beta is null ? PgdStart.Cube : PgdStart.Gaussian, ballFirst: true);

    /// <inheritdoc/>
    public override HistoryRule? History => Active ? new HistoryRule(Decay, Weight.Start) : null;

    /// <inheritdoc/>
    public override Objective InEpoch(int epoch) => epoch < Weight.Start ? this with { Active = false } : this;

    /// <inheritdoc/>
    public override Loss Loss(Views v)
    {
        if (Beta is { } beta) return Remember(v, v.CrossEntropy(v.Clean) + beta * v.Distill(v.Clean, v.Adversarial), v.Clean);
        return Remember(v, v.CrossEntropy(v.Adversarial), v.Adversarial);
    }

    private InnerLoss Inner => Beta is null ? InnerLoss.CrossEntropy : InnerLoss.Kl;

    private Loss Remember(Views v, Loss loss, Tensor logits) => Active ? loss + v.Times(Weight, v.Memory(logits)) : loss;
}
