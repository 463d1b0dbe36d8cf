using Rpat.Engine;

namespace Rpat.Robust;

/// <summary>Temporal ensembling (TE, ICLR'22; methods.md 4.8): CE(x′) + w(e)·mean_k (p(x′) − t)², t the image's averaged predictions.</summary>
/// <param name="Pgd">The attack.</param>
/// <param name="Weight">w, a ramp over epochs.</param>
/// <param name="Decay">Share of the old average in the table.</param>
/// <param name="Active">Whether the table is used; it is not before the ramp begins.</param>
public sealed record Te(PgdOptions Pgd, RampCoefficient Weight, float Decay = 0.9f, bool Active = true) : Objective, IMethod
{
    /// <inheritdoc/>
    public static IReadOnlyList<MethodInfo> Methods { get; } =
    [
        new("te", "PGD-AT with a table of each image's averaged predictions", "Dong et al., ICLR'22; methods.md 4.8",
            new("E on CE + w (p - t)^2", "CE(x') + w(epoch) mean (p(x') - t)^2") { Target = "true class, and the table", Nets = "table of averaged predictions" },
            static (s, pgd) => new Te(pgd, new(s.Number("weight"), s.Whole("start"), s.Whole("ramp")), s.Number("decay")))
        {
            Parameters =
            [
                MethodParameter.Number("weight", "300", "last weight of the squared term", "official code"),
                MethodParameter.Epoch("start", 90, "first epoch with the table", "official code"),
                new MethodParameter("ramp", SettingKind.Whole, "60", "epochs in which the weight rises", "official code"),
                MethodParameter.Number("decay", "0.9", "share of the old average in the table", "official code") with { Most = 1 },
            ],
        },
    ];

    /// <inheritdoc/>
    public override string Name => "te";

    /// <inheritdoc/>
    public override PgdOptions Attack => Pgd.For(Active ? new MemorizationLoss(Weight) : InnerLoss.CrossEntropy, ballFirst: true);

    /// <inheritdoc/>
    public override HistoryRule? History => Active ? new HistoryRule(Decay, Weight.Start) : null;

    /// <inheritdoc/>
    public override Objective InEpoch(int epoch) => epoch < Weight.Start ? this with { Active = false } : this;

    /// <inheritdoc/>
    public override Loss Loss(Views v)
    {
        var loss = v.CrossEntropy(v.Adversarial);
        return Active ? loss + v.Times(Weight, v.Memory(v.Adversarial)) : loss;
    }
}
