using Rpat.Robust.Modifiers;

namespace Rpat.Robust.Methods;

/// <summary>Published methods that consist of another one with a modifier on top.</summary>
[Combinations]
internal static class Combinations
{
    private const string LateAverage = "the table's row is taken to be this averaging in ReBAT's script, from its epoch 105 counted from 0";
    private const string AsTrades = "as for MAIL-TRADES: the official code's README has no values for this variant";
    private const string MailWeights = "3 sigmoid(slope (margin + bias))";

    private const string MailConstant =
        "the weights' factor 3 is the official code's, where the paper normalises over the batch (methods.md section 8, number 14)";

    public static IReadOnlyList<MethodInfo> Methods { get; } =
    [
        new(new("awp", "PGD-AT at adversarially perturbed weights", "Wu et al., NeurIPS'20; methods.md 4.3")
        {
            Attack = "C on CE",
            Terms = "CE(x')",
            Extra = "weight perturbation",
        }, pgd => new PgdAt(pgd.C()), () => [new Awp(), new OfficialForwards()])
        { Assumed = [] },

        new(new("trades-awp", "TRADES at adversarially perturbed weights", "Wu et al., NeurIPS'20; methods.md 4.3")
        {
            Attack = "B on KL",
            Terms = "CE(x) + beta KL(p(x), p(x'))",
            Extra = "weight perturbation; forwards in the official order x', x, x",
        },
            pgd => new Trades(pgd) { Quirks = ReferenceQuirks.RepeatedClean | ReferenceQuirks.AdversarialFirst },
            () => [new Awp { Gamma = 0.005f, Start = 10 }])
        { Assumed = [] },

        new(new("wa", "PGD-AT whose averaged network is the result", "Izmailov et al., UAI'18, as in ReBAT's table; methods.md 4.1")
        {
            Attack = "C on CE",
            Terms = "CE(x')",
            Nets = "average of the weights, reported",
        }, pgd => new PgdAt(pgd.C()), () => [new EmaAveraging { Start = ReBat.PublishedStart }, new OfficialForwards()],
            new("decay", LateAverage) { Uncertain = true }, new("start", LateAverage) { Uncertain = true })
        { Assumed = [new("schedule.factor", "0.1", "decay of the learning rate, d = 10: inferred, as for plain adversarial training")] },

        new(new("igdm", "AdaAD that also matches the teacher's differences along the perturbation", "Lee et al., ICLR'25; methods.md 4.14")
        {
            Attack = "B on KL(p_T(x'), p(x')), through both networks",
            Terms = "KL(p_T(x'), p(x')) + matching min(1, epoch/rise) KL(p_T', p'), p' = softmax(z(x') - z(2x - x'))",
            Target = "the teacher's prediction",
            Nets = "a frozen robust teacher",
            Departs = "the official code makes the forward on x' twice and one on x, which move running statistics and nothing else",
        }, pgd => new AdaAd(pgd), () => [new IndirectGradient()])
        { Assumed = [] },

        new(new("mail-at", "cross-entropy weighted by the probabilistic margin", "Liu et al., NeurIPS'21; methods.md 4.7")
        {
            Attack = "B on CE",
            Terms = "CE(x')",
            Weights = MailWeights,
            Departs = MailConstant,
        }, pgd => new PgdAt(pgd.B(InnerLoss.CrossEntropy)), () => [new Mail()])
        {
            Assumed =
            [
                new("method.name", "mail-at", "which variant the table calls MAIL: inferred from its low AutoAttack accuracy"),
                Assumptions.Network,
            ],
        },

        new(new("mail-trades", "TRADES whose divergence is weighted by the probabilistic margin", "Liu et al., NeurIPS'21; methods.md 4.7")
        {
            Attack = "B on KL",
            Terms = "CE(x) + beta KL(p(x), p(x'))",
            Weights = MailWeights + ", of the divergence",
            Departs = MailConstant,
        }, pgd => new Trades(pgd) { Beta = 5, Repeat = false }, () => [new Mail { Slope = 2, Bias = 0 }])
        { Assumed = [] },

        new(new(
            "mail-mart", "MART whose boosted cross-entropy is weighted by the probabilistic margin",
            "Liu et al., NeurIPS'21; methods.md 4.7")
        {
            Attack = "B on CE",
            Terms = "CE(x') + complement(x') + beta (1 - p_y(x)) KL(p(x), p(x'))",
            Weights = MailWeights + ", of the first two; 1 - p_y(x), with gradient",
            Departs = MailConstant,
        }, pgd => new Mart(pgd) { Beta = 5 }, () => [new Mail { Slope = 2, Bias = 0 }],
            new("beta", AsTrades) { Uncertain = true }, new("slope", AsTrades) { Uncertain = true },
            new("bias", AsTrades) { Uncertain = true })
        { Assumed = [] },
    ];
}
