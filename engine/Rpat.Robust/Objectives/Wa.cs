using Rpat.Engine;

namespace Rpat.Robust;

/// <summary>Weight averaging (SWA, UAI'18; as in ReBAT's table; methods.md 4.1): PGD-AT whose averaged network is reported.</summary>
/// <param name="Pgd">The attack.</param>
public sealed record Wa(PgdOptions Pgd) : Objective, IMethod
{
    /// <inheritdoc/>
    public static IReadOnlyList<MethodInfo> Methods { get; } =
    [
        new("wa", "PGD-AT whose averaged network is the result", "Izmailov et al., UAI'18, as in ReBAT's table; methods.md 4.1",
            new("C on CE", "CE(x')") { Nets = "average of the weights, reported" },
            static (s, pgd) => new Wa(pgd with { ScoresEnd = s.Flag("log_clean") }) { Average = new EmaAveraging(s.Number("decay"), s.Whole("start")) })
        {
            Assumed = [new("schedule.factor", "0.1", "decay of the learning rate, d = 10: inferred, as for plain adversarial training")],
            Parameters =
            [
                MethodParameter.Number("decay", "0.999", "share of the old average in each step", Row) with { Most = 1, Uncertain = true },
                MethodParameter.Epoch("start", 106, "first epoch in which the average moves on its own", Row) with { Uncertain = true },
                MethodParameter.Flag("log_clean", false, "faithful to the official code: scoring and logging forwards, which only move running statistics", "methods.md section 8, number 9"),
            ],
        },
    ];

    private const string Row = "the table's row is taken to be this averaging in ReBAT's script, from its epoch 105 counted from 0";

    /// <inheritdoc/>
    public override string Name => "wa";

    /// <inheritdoc/>
    public override PgdOptions Attack => Pgd.For(InnerLoss.CrossEntropy, PgdStart.Direction, BnMode.Train, ballFirst: true);

    /// <inheritdoc/>
    public override Averaging? Average { get; init; } = new EmaAveraging(0.999f, ReBat.PublishedStart);

    /// <inheritdoc/>
    public override bool LogsClean => Attack.ScoresEnd;

    /// <inheritdoc/>
    public override Loss Loss(Views v) => v.CrossEntropy(v.Adversarial);
}
