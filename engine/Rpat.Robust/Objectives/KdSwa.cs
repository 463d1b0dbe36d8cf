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
public sealed record KdSwa(PgdOptions Pgd, float OwnShare = 0.3f, float CleanShare = 0.1f, float RobustShare = 0.6f, float Temperature = 2) : Objective
{
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
