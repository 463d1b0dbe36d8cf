using Rpat.Engine;

namespace Rpat.Robust;

/// <summary>AT-AWP (NeurIPS'20; methods.md 4.3): PGD-AT at adversarially perturbed weights.</summary>
/// <param name="Pgd">The attack.</param>
public sealed record AwpAt(PgdOptions Pgd) : Objective, IMethod
{
    /// <inheritdoc/>
    public static IReadOnlyList<MethodInfo> Methods { get; } =
    [
        new("awp", "PGD-AT at adversarially perturbed weights", "Wu et al., NeurIPS'20; methods.md 4.3",
            new("C on CE", "CE(x')") { Extra = "weight perturbation" },
            static (s, pgd) => new AwpAt(pgd with { ScoresEnd = s.Flag("log_clean") }) { Awp = new(s.Number("gamma"), s.Whole("start")) })
        {
            Parameters =
            [
                MethodParameter.Number("gamma", "0.01", "size of the perturbation relative to each tensor", "official code"),
                MethodParameter.Epoch("start", 1, "first epoch with perturbation", "official code"),
                MethodParameter.Flag("log_clean", false, "faithful to the official code: scoring and logging forwards, which only move running statistics", "methods.md section 8, number 9"),
            ],
        },
    ];

    /// <inheritdoc/>
    public override string Name => "awp";

    /// <inheritdoc/>
    public override PgdOptions Attack => Pgd.For(InnerLoss.CrossEntropy, PgdStart.Direction, BnMode.Train, ballFirst: true);

    /// <inheritdoc/>
    public override WeightPerturbation? Awp { get; init; } = new(0.01f);

    /// <inheritdoc/>
    public override bool LogsClean => Attack.ScoresEnd;

    /// <inheritdoc/>
    public override Loss Loss(Views v) => v.CrossEntropy(v.Adversarial);
}
