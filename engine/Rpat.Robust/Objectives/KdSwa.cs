using Rpat.Engine;

namespace Rpat.Robust;

/// <summary>
/// KD+SWA (ICLR'21; methods.md 4.5): CE(x′) and distillation from a clean and a robust teacher at x′, with stochastic weight averaging.
/// </summary>
/// <param name="Pgd">The attack.</param>
/// <param name="OwnShare">Weight of the cross-entropy.</param>
/// <param name="CleanShare">Weight of the clean teacher.</param>
/// <param name="RobustShare">Weight of the robust teacher.</param>
/// <param name="Temperature">τ.</param>
public sealed record KdSwa(PgdOptions Pgd, float OwnShare = 0.3f, float CleanShare = 0.1f, float RobustShare = 0.6f, float Temperature = 2) : Objective, IMethod
{
    /// <inheritdoc/>
    public static IReadOnlyList<MethodInfo> Methods { get; } =
    [
        new("kd-swa", "distillation from a clean and a robust teacher, with stochastic weight averaging", "Chen et al., ICLR'21; methods.md 4.5",
            new("A on CE, training mode", "own CE(x') + clean KD(teacher 1) + robust KD(teacher 2)") { Nets = "two frozen teachers; mean of the epochs' weights, reported" },
            static (s, pgd) =>
                new KdSwa(pgd, s.Number("own"), s.Number("clean"), s.Number("robust"), s.Number("temperature")) { Average = new SwaAveraging(s.Whole("start")) })
        {
            Parameters =
            [
                MethodParameter.Number("own", "0.3", "weight of the cross-entropy", "official code"),
                MethodParameter.Number("clean", "0.1", "weight of the clean teacher", "official code"),
                MethodParameter.Number("robust", "0.6", "weight of the robust teacher", "official code"),
                MethodParameter.Number("temperature", "2", "temperature of the teachers", "official code") with { Least = 1e-3 },
                MethodParameter.Epoch("start", 56, "first epoch that is averaged", "official code: 55, counted from 0"),
            ],
            Teachers = ["clean", "robust"],
        },
    ];

    private const string CleanTeacher = "clean", RobustTeacher = "robust";

    /// <inheritdoc/>
    public override string Name => "kd-swa";

    /// <inheritdoc/>
    public override PgdOptions Attack => Pgd.For(InnerLoss.CrossEntropy, PgdStart.Ball, BnMode.Train);

    /// <inheritdoc/>
    public override Averaging? Average { get; init; } = new SwaAveraging(56);

    /// <inheritdoc/>
    public override IReadOnlyList<string> Teachers =>
        [.. new[] { (CleanTeacher, CleanShare), (RobustTeacher, RobustShare) }.Where(t => t.Item2 != 0).Select(t => t.Item1)];

    /// <inheritdoc/>
    public override Loss Loss(Views v)
    {
        var loss = OwnShare * v.CrossEntropy(v.Adversarial);
        if (CleanShare != 0) loss += CleanShare * v.DistillAt(Temperature, v.Teacher(CleanTeacher).Adversarial, v.Adversarial);
        if (RobustShare != 0) loss += RobustShare * v.DistillAt(Temperature, v.Teacher(RobustTeacher).Adversarial, v.Adversarial);
        return loss;
    }
}
